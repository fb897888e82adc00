/**
 * Any value that a row may hold: what JSON can say, plus `bigint` for integers beyond 2^53 that a
 * double would round. No `undefined`, `Date` or non-finite number.
 */
export type Json =
  string | number | bigint | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object as it comes from outside: unknown values under string keys. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for a plain JSON object: not null, not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * JSON text of a value, with integers beyond 2^53 written exactly.
 *
 * `JSON.stringify` throws on a `bigint` and is fast otherwise, so the slow path costs nothing
 * where there is none.
 */
export function stringify(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof TypeError) return exact(value);
    throw error;
  }
}

function exact(value: Json): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(exact).join(",")}]`;
  const members = Object.entries(value).map(([key, v]) => `${JSON.stringify(key)}:${exact(v)}`);
  return `{${members.join(",")}}`;
}

/** `Array.isArray` does not narrow readonly lists; this does. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** A value as plain text: a string as it is, anything else as JSON. For keys of maps. */
export function textOf(value: Json): string {
  return typeof value === "string" ? value : stringify(value);
}

/** JSON text with object keys sorted at every level: the same content always gives the same bytes. */
export function canonical(value: Json): string {
  return stringify(sorted(value));
}

function sorted(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map(sorted);
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key] ?? null)]));
}
