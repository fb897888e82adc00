import type { Column } from "../../core/columns.js";
import type { ColumnType } from "../../core/fields.js";
import { isObject, type JsonObject } from "../../core/json.js";

/** Types that a JSON Schema admits; `null` is one of them. */
type Admitted = ColumnType | "null";

/**
 * Columns of another tap's stream, from its JSON Schema of any draft.
 *
 * A column is only as narrow as the schema: text that may also be a date stays text, and what may
 * be an object or a list, or is not said, is JSON of any shape. Only keys are not nullable:
 * a schema that forbids null is a promise that a target learns to be broken when it cannot write.
 *
 * @param schema one whose `properties` {@link readMessages} has seen.
 */
export function columnsFromSchema(
  schema: JsonObject,
  keyProperties: readonly string[] = [],
): readonly Column[] {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  return Object.entries(properties).map(([name, node]): Column => {
    const description = isObject(node) ? node["description"] : undefined;
    return {
      name,
      type: narrowest(admittedBy(node)),
      nullable: !keyProperties.includes(name),
      description: typeof description === "string" ? description : "",
    };
  });
}

/** The one type that holds everything admitted. */
function narrowest(admitted: ReadonlySet<Admitted>): ColumnType {
  const types = new Set([...admitted].filter((t) => t !== "null"));
  const [only] = types;
  if (only === undefined || types.has("json")) return "json";
  if (types.size === 1) return only;
  const numeric = [...types].every((t) => t === "integer" || t === "number");
  return numeric ? "number" : "string";
}

function admittedBy(node: unknown): ReadonlySet<Admitted> {
  if (!isObject(node)) return new Set();
  const { type, anyOf, oneOf, format } = node;
  const said = typeof type === "string" ? [type] : Array.isArray(type) ? type : [];
  const own = said.map((name): Admitted => ofType(name, format));
  const listed = [...listOf(anyOf), ...listOf(oneOf)].flatMap((option) => [...admittedBy(option)]);
  // Options narrow what stands beside them: with both said, the options are the whole of it.
  if (own.length === 0) return new Set([...listed, ...ofValues(node)]);
  return new Set(listed.length === 0 ? own : [...own.filter((t) => t === "null"), ...listed]);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function ofType(type: unknown, format: unknown): Admitted {
  switch (type) {
    case "null":
    case "integer":
    case "number":
    case "boolean":
      return type;
    case "string":
      return format === "date-time" ? "timestamp" : format === "date" ? "date" : "string";
    default:
      return "json";
  }
}

/** Types of an `enum` or a `const`, for a schema that says nothing else. */
function ofValues(node: JsonObject): readonly Admitted[] {
  const values = "const" in node ? [node["const"]] : listOf(node["enum"]);
  return values.map((value) => {
    if (value === null) return "null";
    if (typeof value === "bigint") return "integer";
    return ofType(Number.isSafeInteger(value) ? "integer" : typeof value, undefined);
  });
}
