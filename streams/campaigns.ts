import { z } from "zod";

import { flag, id, instant, integer, list, number, object, text } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { DOCS, groupRefs } from "./shared.js";

/**
 * One row per phishing campaign: a plan by which security tests are sent.
 *
 * Read in full on every run: few rows, whose status and last run move without a date of change.
 */
export const campaigns = defineStream({
  name: "campaigns",
  description: "One row per phishing campaign: a plan by which security tests are sent.",
  docs: DOCS,
  path: "/v1/phishing/campaigns",
  primaryKey: ["campaign_id"],
  replication: { mode: "full_table" },
  priority: -20,
  expect: { rows: 20 },
  schema: z.object({
    campaign_id: id("The phishing campaign. Training campaigns have ids of their own."),
    name: text("Name of the campaign."),
    groups: groupRefs("Groups that it goes to."),
    last_phish_prone_percentage: number("People who failed the last run, a fraction from 0 to 1."),
    last_run: instant("When it last ran, UTC; null if it never did."),
    status: text("`Active`, `Closed`, `Error` and others."),
    hidden: flag("Whether it is hidden from reports."),
    send_duration: text("Time over which e-mails are sent, in words: `3 Business Days`."),
    track_duration: text("Time for which failures are counted afterwards, in words: `3 Days`."),
    frequency: text("How often it runs: `One Time`, `Weekly`, `Monthly` and others."),
    difficulty_filter: list(
      "Difficulties that its e-mails are picked from, 1 (easy) to 5.",
      integer("A difficulty, 1 to 5."),
    ),
    create_date: instant("When it was created, UTC."),
    psts_count: integer("Number of security tests it has sent."),
    psts: list(
      "Its security tests, as short rows.",
      object("A test.", {
        pst_id: id("The test; `security_tests.pst_id`."),
        status: text("`Active`, `Closed`, `Error` and others."),
        start_date: instant("When it started, UTC; null if it could not."),
        users_count: integer("Number of people it was for; null if it could not start."),
        phish_prone_percentage: number("People who failed it, a fraction from 0 to 1."),
      }),
    ),
  }),
});
