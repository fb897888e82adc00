import { z } from "zod";

import { flag, id, instant, list, number, object, text } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { CONTENT, DOCS, groupRefs, POLICY, PURCHASE } from "./shared.js";

/**
 * One row per training campaign: content that groups of people are enrolled in.
 *
 * Read in full on every run: few rows, whose status moves without a date of change; they also
 * decide which campaigns' enrollments are read again.
 */
export const trainingCampaigns = defineStream({
  name: "training_campaigns",
  description: "One row per training campaign: content that groups of people are enrolled in.",
  docs: DOCS,
  path: "/v1/training/campaigns",
  // With percentages the server gives at most 10 rows per page, whatever `per_page` says.
  query: { exclude_percentages: "true" },
  primaryKey: ["campaign_id"],
  replication: { mode: "full_table" },
  aliases: { content: ["modules"] },
  priority: -20,
  expect: { rows: 20 },
  schema: z.object({
    campaign_id: id("The training campaign. Phishing campaigns have ids of their own."),
    name: text("Name of the campaign."),
    groups: groupRefs("Groups that are enrolled."),
    status: text("`In Progress`, `Completed`, `Closed` and others."),
    content: list(
      "Modules and policies that it assigns.",
      object("A module (with `store_purchase_id`) or a policy (with `policy_id`).", {
        store_purchase_id: id("The module; `store_purchases.store_purchase_id`."),
        policy_id: id("The policy; `policies.policy_id`."),
        ...CONTENT,
        ...PURCHASE,
        ...POLICY,
        published: flag("Whether the policy is published."),
      }),
      { shape: "flat" },
    ),
    duration_type: text("`Specific End Date`, `Relative Duration` and others."),
    start_date: instant("When it starts, UTC."),
    end_date: instant("When it ends, UTC; null if each person has a time of their own."),
    relative_duration: text("Time that each person has from being enrolled, in words: `1 week`."),
    auto_enroll: flag("Whether people who join one of its groups later are enrolled."),
    allow_multiple_enrollments: flag("Whether a person can be enrolled again."),
    completion_percentage: number(
      "Completed enrollments, in percent, 0 to 100. Null: it is not asked for, because the API would then give 10 rows per request. Count `enrollments`.",
    ),
  }),
});
