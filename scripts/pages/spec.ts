import { configJsonSchema } from "../../src/config/settings.js";

/** `spec.json`: the configuration as a form, for platforms that draw one. */
export function specText(): string {
  const spec = {
    documentationUrl: "https://developer.knowbe4.com/rest/reporting",
    connectionSpecification: configJsonSchema(),
  };
  return `${JSON.stringify(spec, null, 2)}\n`;
}
