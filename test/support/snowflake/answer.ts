import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTypeId,
  type DuckDBType,
} from "@duckdb/node-api";

/** A column of an answer, as the driver wants it. */
export interface RowType {
  readonly name: string;
  readonly type: string;
  readonly precision: number | null;
  readonly scale: number | null;
  readonly nullable: boolean;
}

/** Rows of an answer: every value is a text or null. */
export interface Rows {
  readonly kind: "rows";
  readonly rowtype: readonly RowType[];
  readonly rowset: readonly (readonly (string | null)[])[];
  readonly statementTypeId: number;
}

/** What comes of a statement; the driver uploads files itself. */
export type Answer = Rows | { readonly kind: "upload"; readonly from: string; readonly to: string };

const TYPE_IDS = { select: 0x1000, insert: 0x3100, update: 0x3200, delete: 0x3300, merge: 0x3400 };

/** A sentence. */
export function said(status: string): Rows {
  return textRows(["status"], [[status]]);
}

/** Rows of texts. */
export function textRows(
  names: readonly string[],
  rowset: readonly (readonly (string | null)[])[],
): Rows {
  const rowtype = names.map((name) => ({ ...plain("text"), name }));
  return { kind: "rows", rowtype, rowset, statementTypeId: TYPE_IDS.select };
}

/** How many rows a statement changed. */
export function counted(
  verb: "insert" | "update" | "delete" | "merge",
  counts: Readonly<Record<string, number>>,
): Rows {
  return {
    kind: "rows",
    rowtype: Object.keys(counts).map((name) => ({
      ...plain("fixed"),
      name,
      precision: 38,
      scale: 0,
    })),
    rowset: [Object.values(counts).map(String)],
    statementTypeId: TYPE_IDS[verb],
  };
}

/** What DuckDB answered. */
export function answerOf(
  names: readonly string[],
  types: readonly DuckDBType[],
  rows: readonly (readonly unknown[])[],
): Rows {
  return {
    kind: "rows",
    rowtype: names.map((name, i) => ({ ...rowType(types[i]), name })),
    rowset: rows.map((row) => row.map(valueOf)),
    statementTypeId: TYPE_IDS.select,
  };
}

function plain(type: string): Omit<RowType, "name"> {
  return { type, precision: null, scale: null, nullable: true };
}

function rowType(type: DuckDBType | undefined): Omit<RowType, "name"> {
  if (type?.alias === "JSON") return plain("variant");
  const id = type?.typeId;
  if (id === undefined) return plain("text");
  const name = NAMES.get(id) ?? "text";
  if (name === "fixed") return { ...plain(name), precision: 38, scale: 0 };
  return name === "timestamp_tz" ? { ...plain(name), scale: 9 } : plain(name);
}

/** Snowflake's names of DuckDB's types. */
const NAMES: ReadonlyMap<DuckDBTypeId, string> = new Map([
  [DuckDBTypeId.DECIMAL, "fixed"],
  [DuckDBTypeId.INTEGER, "fixed"],
  [DuckDBTypeId.BIGINT, "fixed"],
  [DuckDBTypeId.HUGEINT, "fixed"],
  [DuckDBTypeId.DOUBLE, "real"],
  [DuckDBTypeId.BOOLEAN, "boolean"],
  [DuckDBTypeId.DATE, "date"],
  [DuckDBTypeId.TIMESTAMP_TZ, "timestamp_tz"],
]);

function valueOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof DuckDBTimestampTZValue) {
    const { micros } = value;
    const seconds = micros / 1_000_000n - (micros % 1_000_000n < 0n ? 1n : 0n);
    const nanos = (micros - seconds * 1_000_000n) * 1000n;
    return `${String(seconds)}.${String(nanos).padStart(9, "0")} 1440`;
  }
  if (value instanceof DuckDBDateValue) return String(value.days);
  if (value instanceof DuckDBDecimalValue) return value.toString();
  return typeof value === "string" ? value : stringOf(value);
}

function stringOf(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return String(value);
  }
  throw new Error(`a value of an unknown kind: ${typeof value}`);
}
