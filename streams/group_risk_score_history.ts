import { z } from "zod";

import { day, id, number } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { groups } from "./groups.js";
import { DAILY, DOCS } from "./shared.js";

/**
 * One row per group and day: the group's risk score.
 *
 * Incremental on the day, one request per group and run, so it is off unless selected:
 * `groups.current_risk_score` costs nothing.
 */
export const groupRiskScoreHistory = defineStream({
  name: "group_risk_score_history",
  description: "One row per group and day: the group's risk score.",
  docs: DOCS,
  path: "/v1/groups/{group_id}/risk_score_history",
  parent: { stream: groups, bind: { group_id: "id" } },
  listing: "whole",
  primaryKey: ["group_id", "date"],
  replication: DAILY,
  selectedByDefault: false,
  priority: 30,
  expect: { rows: 14_600, moving: 0.02 },
  schema: z.object({
    group_id: id("The group; `groups.id`."),
    date: day("The day, UTC."),
    risk_score: number("Risk score of the group on that day, 0 (none) to 100."),
  }),
});
