import { createHash } from "node:crypto";

import { canonical, type Json } from "./json.js";

/** 16 hex digits that change when the value does, whatever the order of its keys. */
export function digest(value: Json): string {
  return createHash("sha256").update(canonical(value)).digest("hex").slice(0, 16);
}
