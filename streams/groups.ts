import { z } from "zod";

import { id, integer, number, text } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { DOCS, embeddedHistory } from "./shared.js";

/**
 * One row per group of people, archived ones included.
 *
 * Read in full on every run: a few requests, and counts and scores move without a date.
 */
export const groups = defineStream({
  name: "groups",
  description: "One row per group of people, archived ones included.",
  docs: DOCS,
  path: "/v1/groups",
  primaryKey: ["id"],
  replication: { mode: "full_table" },
  aliases: { provisioning_guid: ["adi_guid"] },
  priority: -20,
  expect: { rows: 40 },
  schema: z.object({
    id: id("The group; other rows call it `group_id`."),
    name: text("Name of the group."),
    group_type: text(
      "`console_group` (kept by hand), `smart_group` (by rules) or `adi_managed_group` (by a directory).",
    ),
    provisioning_guid: text("The group's id in the directory that maintains it."),
    member_count: integer("Number of members who are not archived."),
    current_risk_score: number("Risk score of the group now, 0 (none) to 100."),
    risk_score_history: embeddedHistory(),
    status: text("`active` or `archived`."),
  }),
});
