import { test } from "vitest";
import { z } from "zod";

import { day, id, text } from "../../src/core/fields.js";
import { defineStream } from "../../src/core/stream.js";
import { groups } from "../../streams/groups.js";
import { trainingCampaigns } from "../../streams/training_campaigns.js";
import { users } from "../../streams/users.js";

/** Mistakes that must not compile: `npm run types` fails if one of them does. */

const common = {
  name: "things",
  description: "One row per thing.",
  docs: "https://developer.knowbe4.com/rest/reporting",
  replication: { mode: "full_table" },
} as const;

const schema = z.object({ id: id("The thing."), name: text("Name."), seen_on: day("The day.") });

test("a wrong field name in a declaration is a compile error", () => {
  defineStream({
    ...common,
    path: "/v1/things",
    schema,
    // @ts-expect-error -- the schema has no such field
    primaryKey: ["ident"],
  });
  defineStream({
    ...common,
    path: "/v1/things",
    schema,
    primaryKey: ["id"],
    replication: {
      mode: "incremental",
      by: "cursor",
      // @ts-expect-error -- the schema has no such field
      cursor: "seen_at",
      lookbackDays: 1,
      fullQuery: {},
      fullAfterDays: 1,
    },
  });
  defineStream({
    ...common,
    path: "/v1/things",
    schema,
    primaryKey: ["id"],
    // @ts-expect-error -- the schema has no such field
    aliases: { nmae: ["title"] },
  });
  defineStream({
    ...common,
    path: "/v1/groups/{group_id}/things",
    schema,
    primaryKey: ["id"],
    // @ts-expect-error -- groups have no such field
    parent: { stream: groups, bind: { group_id: "group_id" } },
  });
  // @ts-expect-error -- nothing fills {group_id}
  defineStream({
    ...common,
    path: "/v1/groups/{group_id}/things",
    schema,
    primaryKey: ["id"],
  });
  defineStream({
    ...common,
    path: "/v1/groups/{group_id}/things",
    schema,
    primaryKey: ["id"],
    parent: { stream: groups, bind: { group_id: "id" } },
    replication: {
      mode: "incremental",
      by: "fingerprint",
      // @ts-expect-error -- groups have no such field
      of: ["members_count"],
    },
  });
  defineStream({
    ...common,
    path: "/v1/groups/{group_id}/things",
    schema,
    primaryKey: ["id"],
    parent: { stream: groups, bind: { group_id: "id" } },
    derive: {
      stream: users,
      // @ts-expect-error -- users have no such field
      list: "group_ids",
      key: "id",
      as: "id",
      count: "member_count",
      except: { field: "status", value: "archived" },
    },
  });
  defineStream({
    ...common,
    path: "/v1/things",
    schema,
    primaryKey: ["id"],
    replication: {
      mode: "incremental",
      by: "slices",
      stream: trainingCampaigns,
      // @ts-expect-error -- things have no campaign_id to be filtered by
      param: "campaign_id",
      status: "status",
      over: ["Closed"],
      end: "end_date",
    },
  });
});
