import type { ColumnType } from "../core/fields.js";
import type { Json } from "../core/json.js";
import type { Scope } from "../core/record.js";
import type { Table } from "./table.js";

/** How a dialect writes names and texts. */
interface Writing {
  readonly quoted: (name: string) => string;
  readonly literal: (text: string) => string;
}

/**
 * Which rows `t` of a table stand in the scopes, as SQL; null if none can be told: a column that
 * is not selected tells nothing.
 */
export function inScopes(table: Table, scopes: readonly Scope[], writing: Writing): string | null {
  if (scopes.some(({ kind }) => kind === "whole")) return "TRUE";
  const conditions: string[] = [];
  for (const { name, type } of table.columns) {
    const column = `t.${writing.quoted(name)}`;
    const sql = (value: Json) => written(value, type, writing);
    const parts = scopes.flatMap((s) => (s.kind === "part" && s.column === name ? [s.value] : []));
    const known = parts.map(sql).filter((value) => value !== null);
    if (known.length > 0) conditions.push(`${column} IN (${known.join(", ")})`);
    for (const scope of scopes) {
      if (scope.kind !== "rest" || scope.column !== name) continue;
      const listed = scope.listed.map(sql);
      // One value that cannot be written would make strangers of its rows.
      if (listed.includes(null)) continue;
      const isElsewhere = listed.length === 0 ? "IS NOT NULL" : `NOT IN (${listed.join(", ")})`;
      conditions.push(`${column} ${isElsewhere}`);
    }
  }
  if (conditions.length === 0) return null;
  return conditions.length === 1 ? conditions.join("") : `(${conditions.join(" OR ")})`;
}

/** A value of a key as SQL, for a column of some type; null for what no key is. */
function written(value: Json, type: ColumnType, { literal }: Writing): string | null {
  if (typeof value === "string") return type === "string" ? literal(value) : null;
  if (typeof value !== "number" || !Number.isSafeInteger(value)) return null;
  if (type === "string") return literal(String(value));
  return type === "integer" || type === "number" ? String(value) : null;
}
