import { z } from "zod";

import { id, text } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { CONTENT, DOCS, POLICY } from "./shared.js";

/**
 * One row per policy that the account uploaded for people to read and accept.
 *
 * Read in full on every run: few rows, and no field says when one last changed.
 */
export const policies = defineStream({
  name: "policies",
  description: "One row per policy that the account uploaded for people to read and accept.",
  docs: DOCS,
  path: "/v1/training/policies",
  primaryKey: ["policy_id"],
  replication: { mode: "full_table" },
  aliases: { policy_id: ["id"] },
  priority: -20,
  expect: { rows: 10 },
  schema: z.object({
    policy_id: id("The policy."),
    ...CONTENT,
    ...POLICY,
    status: text("`1` or `published` for a published policy; the API has used both."),
  }),
});
