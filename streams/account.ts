import { z } from "zod";

import { day, integer, list, number, object, text } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { DOCS, embeddedHistory, PERSON } from "./shared.js";

/**
 * One row: the account itself. It has no id; its name is the key.
 *
 * Read in full on every run: one request, which also tells the number of seats that the daily
 * quota depends on.
 */
export const account = defineStream({
  name: "account",
  description: "One row: the account that the API key belongs to.",
  docs: DOCS,
  path: "/v1/account",
  listing: "object",
  primaryKey: ["name"],
  replication: { mode: "full_table" },
  priority: -40,
  mentions: { admins: ["admins"] },
  schema: z.object({
    name: text("Name of the account."),
    type: text("`paid` or `trial`."),
    domains: list("E-mail domains that belong to the account.", text("A domain.")),
    admins: list(
      "Administrators; null if the API leaves them out.",
      object("An administrator.", PERSON),
    ),
    subscription_level: text("`Platinum`, `Diamond` and others; null on trials."),
    subscription_end_date: day("Last day of the subscription; null on trials."),
    number_of_seats: integer("Number of people who can be active at once; null on trials."),
    current_risk_score: number("Risk score of the account now, 0 (none) to 100."),
    risk_score_history: embeddedHistory(),
  }),
});
