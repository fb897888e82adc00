import { z } from "zod";

import { id, instant, object, text } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { securityTests } from "./security_tests.js";
import { DOCS, pageRef, PERSON } from "./shared.js";

/**
 * One row per security test and recipient, with the first time of everything they did.
 *
 * Every event of a recipient moves a counter of the test, so recipients are read again when a
 * test's status or counters changed. Closed tests change too: an administrator can remove a
 * failure, which takes a time back to null.
 */
export const securityTestRecipients = defineStream({
  name: "security_test_recipients",
  description: "One row per security test and recipient, with the first time of what they did.",
  docs: DOCS,
  path: "/v1/phishing/security_tests/{pst_id}/recipients",
  parent: { stream: securityTests, bind: { pst_id: "pst_id" } },
  count: "scheduled_count",
  primaryKey: ["pst_id", "recipient_id"],
  replication: {
    mode: "incremental",
    by: "fingerprint",
    of: [
      "status",
      "phish_prone_percentage",
      "scheduled_count",
      "delivered_count",
      "opened_count",
      "clicked_count",
      "replied_count",
      "attachment_open_count",
      "macro_enabled_count",
      "data_entered_count",
      "qr_code_scanned_count",
      "vulnerable_plugin_count",
      "exploited_count",
      "reported_count",
      "bounced_count",
    ],
  },
  aliases: {
    user_id: ["user.id"],
    qr_code_scanned: ["qr_code_scanned_at"],
    vulnerable_plugins_at: ["vulnerable-plugins_at"],
  },
  priority: 10,
  expect: { perSeat: 40, moving: 0.05 },
  schema: z.object({
    recipient_id: id("The recipient of this test."),
    pst_id: id("The security test; `security_tests.pst_id`."),
    user_id: id("Who got the e-mail; `users.id`.", "identifier"),
    user: object("Who got the e-mail, as named now; null once the account is deleted.", {
      ...PERSON,
      provisioning_guid: text("The person's id in the directory.", "identifier"),
      active_directory_guid: text("Older name of `provisioning_guid`.", "identifier"),
    }),
    template: pageRef("The e-mail they got."),
    scheduled_at: instant("When the e-mail was planned to go out, UTC."),
    delivered_at: instant("When it was delivered, UTC; null if it was not."),
    opened_at: instant("When they opened it, UTC; null if they did not.", "behaviour"),
    clicked_at: instant("When they clicked a link, UTC; null if they did not.", "behaviour"),
    replied_at: instant("When they replied, UTC; null if they did not.", "behaviour"),
    attachment_opened_at: instant(
      "When they opened the attachment, UTC; null if they did not.",
      "behaviour",
    ),
    macro_enabled_at: instant("When they enabled macros, UTC; null if they did not.", "behaviour"),
    data_entered_at: instant(
      "When they entered data on the landing page, UTC; null if they did not.",
      "behaviour",
    ),
    qr_code_scanned: instant(
      "When they scanned the QR code, UTC; null if they did not.",
      "behaviour",
    ),
    vulnerable_plugins_at: instant(
      "When a vulnerable plugin was seen, UTC; old tests only.",
      "behaviour",
    ),
    exploited_at: instant("When a plugin was exploited, UTC; old tests only.", "behaviour"),
    reported_at: instant("When they reported the e-mail, UTC; null if not.", "behaviour"),
    bounced_at: instant("When the e-mail was returned, UTC; null if it was not."),
    ip: text("Network address that they acted from.", "address"),
    ip_location: text(
      "Where that address is thought to be, for example `Clearwater, FL`.",
      "address",
    ),
    browser: text("Browser that they acted with.", "behaviour"),
    browser_version: text("Version of the browser.", "behaviour"),
    os: text("Operating system that they acted with.", "behaviour"),
  }),
});
