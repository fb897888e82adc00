import { z } from "zod";

import { id } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { CONTENT, DOCS, PURCHASE } from "./shared.js";

/**
 * One row per piece of content that the account got from the vendor's store.
 *
 * Read in full on every run: few rows, and no field says when one last changed.
 */
export const storePurchases = defineStream({
  name: "store_purchases",
  description: "One row per piece of content that the account got from the vendor's store.",
  docs: DOCS,
  path: "/v1/training/store_purchases",
  primaryKey: ["store_purchase_id"],
  replication: { mode: "full_table" },
  aliases: { store_purchase_id: ["store_purchased_id"] },
  priority: -20,
  expect: { rows: 30 },
  schema: z.object({
    store_purchase_id: id("The purchase."),
    ...CONTENT,
    ...PURCHASE,
  }),
});
