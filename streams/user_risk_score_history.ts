import { z } from "zod";

import { day, id, number } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { DAILY, DOCS } from "./shared.js";
import { users } from "./users.js";

/**
 * One row per person and day: the person's risk score.
 *
 * Incremental on the day, one request per person and run, so it is off unless selected:
 * `users.current_risk_score` costs nothing.
 */
export const userRiskScoreHistory = defineStream({
  name: "user_risk_score_history",
  description: "One row per person and day: the person's risk score.",
  docs: DOCS,
  path: "/v1/users/{user_id}/risk_score_history",
  parent: { stream: users, bind: { user_id: "id" } },
  listing: "whole",
  primaryKey: ["user_id", "date"],
  replication: DAILY,
  selectedByDefault: false,
  priority: 40,
  expect: { perSeat: 365, moving: 0.02 },
  schema: z.object({
    user_id: id("The person; `users.id`.", "identifier"),
    date: day("The day, UTC."),
    risk_score: number("Risk score of the person on that day, 0 (none) to 100.", "behaviour"),
  }),
});
