import type { Json, Row } from "../account/json.js";
import type { Fault, FieldValue } from "./fault.js";

/** Stands in a row for text that JSON.stringify would not write; see {@link writeJson}. */
const RAW = "@raw:";
const RAW_IN_JSON = /"@raw:([^"]*)"/g;

/** Rows of a page after what a fault does to them; other faults leave them alone. */
export function faultyRows(rows: readonly Row[], fault: Fault): readonly Row[] {
  if (fault.kind === "field") {
    return some(rows, fault.rows, (row) => withField(row, fault.field, valueOf(fault.value)));
  }
  if (fault.kind === "omit") {
    return some(rows, fault.rows, (row) => withField(row, fault.field, undefined));
  }
  if (fault.kind === "rename") {
    return some(rows, fault.rows, (row) => {
      const { [fault.field]: value, ...rest } = row;
      return value === undefined ? row : withField(rest, fault.to, value);
    });
  }
  if (fault.kind === "duplicate" && rows[0] !== undefined) {
    return [...rows, { ...rows[0], ...fault.with }];
  }
  return rows;
}

/** JSON text, with raw values written as they are. */
export function writeJson(value: unknown, faults: readonly Fault[]): string {
  const text = JSON.stringify(value);
  const hasRaw = faults.some((fault) => fault.kind === "field" && "raw" in fault.value);
  return hasRaw ? text.replace(RAW_IN_JSON, "$1") : text;
}

function some(
  rows: readonly Row[],
  which: "first" | "all" | undefined,
  change: (row: Row) => Row,
): readonly Row[] {
  return rows.map((row, i) => (i === 0 || which === "all" ? change(row) : row));
}

function valueOf(value: FieldValue): Json {
  if ("json" in value) return value.json;
  if ("raw" in value) return RAW + value.raw;
  return "x".repeat(Math.round(value.megabytes * 2 ** 20));
}

/** Computed names make own properties even of `__proto__`, which assignment would not. */
function withField(row: Row, field: string, value: Json | undefined): Row {
  const dot = field.indexOf(".");
  if (dot !== -1) {
    const name = field.slice(0, dot);
    const inner = row[name];
    if (!isRow(inner)) return row;
    return { ...row, [name]: withField(inner, field.slice(dot + 1), value) };
  }
  if (value !== undefined) return { ...row, [field]: value };
  const { [field]: _, ...rest } = row;
  return rest;
}

function isRow(value: Json | undefined): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
