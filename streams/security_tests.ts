import { z } from "zod";

import { id, instant, integer, list, number, object, text } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { DOCS, groupRefs, pageRef } from "./shared.js";

/**
 * One row per phishing security test (PST): one run of a phishing campaign.
 *
 * Read in full on every run: a few requests, and its counters say which tests' recipients have to
 * be read again.
 */
export const securityTests = defineStream({
  name: "security_tests",
  description: "One row per phishing security test (PST): one run of a phishing campaign.",
  docs: DOCS,
  path: "/v1/phishing/security_tests",
  primaryKey: ["pst_id"],
  replication: { mode: "full_table" },
  aliases: { landing_page: ["landing-page"] },
  priority: -20,
  expect: { rows: 40 },
  schema: z.object({
    campaign_id: id("The phishing campaign; `campaigns.campaign_id`."),
    pst_id: id("The security test."),
    status: text("`Active`, `Closed`, `Error` and others."),
    name: text("Name of the test, usually the campaign's."),
    groups: groupRefs("Groups that it went to."),
    phish_prone_percentage: number("People who failed it, a fraction from 0 to 1."),
    started_at: instant("When it started, UTC; null if it could not."),
    duration: integer("Time for which it sends and counts, in days."),
    categories: list(
      "Categories that its e-mails were picked from.",
      object("A category.", {
        category_id: id("The category."),
        name: text("Its name."),
      }),
    ),
    template: pageRef("The e-mail it sent; its members are null if each recipient got another."),
    landing_page: pageRef("The page shown to whoever clicked."),
    scheduled_count: integer("Number of people it was planned for; null if it could not start."),
    delivered_count: integer("Number of people whose e-mail was delivered."),
    opened_count: integer("Number of people who opened the e-mail."),
    clicked_count: integer("Number of people who clicked a link."),
    replied_count: integer("Number of people who replied."),
    attachment_open_count: integer("Number of people who opened the attachment."),
    macro_enabled_count: integer("Number of people who enabled macros in the attachment."),
    data_entered_count: integer("Number of people who entered data on the landing page."),
    qr_code_scanned_count: integer("Number of people who scanned the QR code; null in old tests."),
    vulnerable_plugin_count: integer("Number of people with a vulnerable plugin; old tests only."),
    exploited_count: integer("Number of people whose plugin was exploited; old tests only."),
    reported_count: integer("Number of people who reported the e-mail."),
    bounced_count: integer("Number of people whose e-mail was returned."),
  }),
});
