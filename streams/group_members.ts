import { z } from "zod";

import { id } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { groups } from "./groups.js";
import { DOCS } from "./shared.js";
import { users } from "./users.js";

/**
 * One row per group and member.
 *
 * Read in full on every run: who leaves a group is simply not listed any more, and nothing says
 * when somebody joined. Each person's row lists the groups they are in, so a group is only asked
 * for its members if the number of people who list it is not the group's own count.
 */
export const groupMembers = defineStream({
  name: "group_members",
  description: "One row per group and member.",
  docs: DOCS,
  path: "/v1/groups/{group_id}/members",
  parent: { stream: groups, bind: { group_id: "id" } },
  primaryKey: ["group_id", "user_id"],
  replication: { mode: "full_table" },
  aliases: { user_id: ["id"] },
  repeats: users,
  derive: {
    stream: users,
    list: "groups",
    key: "id",
    as: "user_id",
    count: "member_count",
    except: { field: "status", value: "archived" },
  },
  priority: -10,
  expect: { perSeat: 3, moving: 0.1 },
  schema: z.object({
    group_id: id("The group; `groups.id`."),
    user_id: id("The member; `users.id`.", "identifier"),
  }),
});
