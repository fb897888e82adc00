import { isObject, type JsonObject } from "../core/json.js";
import { configJsonSchema } from "./settings.js";

/** Where a form shows a setting; those that are not named stand with the performance. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  auth: ["api_key", "region", "api_url"],
  sync: [
    "start_date",
    "lookback_days",
    "reverify_days",
    "group_members",
    "max_rejects",
    "priority",
  ],
  privacy: ["privacy"],
};

const TITLES = {
  auth: "Account",
  sync: "What is read",
  privacy: "Personal data",
  limits: "Limits and paging",
} as const;

const EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  start_date: ["2026-01-31"],
  api_url: ["https://us.api.knowbe4.com"],
  page_size: [500],
  rules: ['{"users.email": "hash", "work": "drop"}'],
};

/** Settings that are the program's own business: a platform puts the rows where it likes. */
const LEFT_OUT = new Set(["destination"]);

/**
 * The configuration as a platform's form: `spec.json`, and what `source-knowbe4 spec` prints.
 *
 * Forms know less JSON Schema than zod writes: no `anyOf`, no bound on other properties.
 */
export function connectionSpec(): JsonObject {
  const schema = configJsonSchema();
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const names = Object.keys(properties).filter((name) => !LEFT_OUT.has(name));
  return {
    documentationUrl: "https://developer.knowbe4.com/rest/reporting",
    supportsIncremental: true,
    connectionSpecification: {
      $schema: "http://json-schema.org/draft-07/schema#",
      title: "KnowBe4",
      type: "object",
      additionalProperties: true,
      required: ["api_key"],
      groups: Object.entries(TITLES).map(([id, title]) => ({ id, title })),
      properties: Object.fromEntries(
        names.map((name, order) => [
          name,
          { ...field(properties[name], name), order, group: groupOf(name) },
        ]),
      ),
    },
  };
}

function groupOf(name: string): string {
  return Object.keys(GROUPS).find((group) => GROUPS[group]?.includes(name)) ?? "limits";
}

function field(node: unknown, name: string): JsonObject {
  if (!isObject(node)) return {};
  if (isObject(node["additionalProperties"])) return asText(node, EXAMPLES[name]);
  const { additionalProperties: _, secret: __, anyOf, properties, required: ___, ...rest } = node;
  const examples = EXAMPLES[name];
  return {
    ...rest,
    ...(Array.isArray(anyOf) ? nullable(anyOf) : {}),
    ...(examples === undefined ? {} : { examples }),
    ...(rest["format"] === "date"
      ? { pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", pattern_descriptor: "YYYY-MM-DD" }
      : {}),
    ...(isObject(properties)
      ? {
          additionalProperties: true,
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, child], order) => [
              key,
              { ...field(child, key), order },
            ]),
          ),
        }
      : {}),
  };
}

/** An object with names of the user's own, which no form has a field for: its JSON text. */
function asText({ title, description }: JsonObject, examples: readonly unknown[] = []): JsonObject {
  return { type: "string", title, description, examples };
}

/** Something or null: `type` may be a pair where `anyOf` may not stand. */
function nullable(options: readonly unknown[]): JsonObject {
  const typed = options.filter(isObject).find((option) => option["type"] !== "null") ?? {};
  return { ...typed, type: [typed["type"], "null"] };
}
