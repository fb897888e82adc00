import { z } from "zod";

import { day, number } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { DAILY, DOCS } from "./shared.js";

/**
 * One row per day: the account's risk score.
 *
 * Incremental on the day: rows are appended, and those of the last week are read again.
 */
export const riskScoreHistory = defineStream({
  name: "risk_score_history",
  description: "One row per day: the account's risk score.",
  docs: DOCS,
  path: "/v1/account/risk_score_history",
  listing: "whole",
  primaryKey: ["date"],
  replication: DAILY,
  priority: -30,
  expect: { rows: 365 },
  schema: z.object({
    date: day("The day, UTC."),
    risk_score: number("Risk score of the account on that day, 0 (none) to 100."),
  }),
});
