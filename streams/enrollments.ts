import { z } from "zod";

import { flag, id, instant, integer, number, object, text } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { DOCS, PERSON } from "./shared.js";
import { trainingCampaigns } from "./training_campaigns.js";

/**
 * One row per person and assignment: a module or policy somebody was enrolled in.
 *
 * Rows change when their status does, can be reset by an administrator and can vanish, and the
 * API has no filter for changes. So they are read campaign by campaign, and only campaigns that
 * are open or ended lately are read again.
 */
export const enrollments = defineStream({
  name: "enrollments",
  description: "One row per person and assignment: a module or policy somebody was enrolled in.",
  docs: DOCS,
  path: "/v1/training/enrollments",
  // The foreign keys and the employee number are left out unless asked for.
  query: {
    include_campaign_id: "true",
    include_store_purchase_id: "true",
    include_employee_number: "true",
  },
  primaryKey: ["enrollment_id"],
  replication: {
    mode: "incremental",
    by: "slices",
    stream: trainingCampaigns,
    param: "campaign_id",
    status: "status",
    over: ["Completed", "Closed", "Cancelled", "Canceled"],
    end: "end_date",
  },
  aliases: { user_id: ["user.id"] },
  priority: 20,
  expect: { perSeat: 0.5, moving: 0.3 },
  partition: "enrollment_date",
  schema: z.object({
    enrollment_id: id("The enrollment."),
    content_type: text("`Store Purchase` or `Uploaded Policy`; others may be added."),
    module_name: text("Title of the module or policy; not unique."),
    user_id: id("Who was enrolled; `users.id`. Null once the account is deleted.", "identifier"),
    user: object("Who was enrolled, as named now; null once the account is deleted.", {
      ...PERSON,
      employee_number: text("Number given by the employer.", "identifier"),
    }),
    campaign_name: text("Name of the training campaign."),
    campaign_id: id("The training campaign; `training_campaigns.campaign_id`."),
    store_purchase_id: id("The module; `store_purchases.store_purchase_id`. Null for policies."),
    enrollment_date: instant("When the person was enrolled, UTC.", "behaviour"),
    start_date: instant(
      "When they started, UTC; can be before the enrollment, never assume an order.",
      "behaviour",
    ),
    completion_date: instant("When they finished, UTC; null if they have not.", "behaviour"),
    status: text(
      "How far they are: `Not Started`, `In Progress`, `Passed`, `Past Due` and others. Can go back after a reset.",
      "behaviour",
    ),
    time_spent: integer("Time in the module, in seconds.", "behaviour"),
    policy_acknowledged: flag("Whether they accepted the policy; false for modules.", "behaviour"),
    score: number(
      "Result of the quiz, in percent, 0 to 100; null unless the campaign shows scores.",
      "behaviour",
    ),
  }),
});
