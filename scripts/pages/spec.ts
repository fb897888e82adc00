import { connectionSpec } from "../../src/config/connection-spec.js";

/** `spec.json`: the configuration as a form, for platforms that draw one. */
export function specText(): string {
  return `${JSON.stringify(connectionSpec(), null, 2)}\n`;
}
