import { ConnectorError } from "../../core/errors.js";
import type { ColumnType } from "../../core/fields.js";
import { stringify, type Json } from "../../core/json.js";
import type { Staged } from "../dialect.js";
import { META, SEQUENCE, type Table, type TableColumn } from "../table.js";

/** Marks what the loader makes. */
export const LABELS = 'labels = [("made_by", "knowbe4-connector")]';

/** Types as BigQuery's catalogue writes them. */
export const TYPES: Readonly<Record<ColumnType, string>> = {
  string: "STRING",
  integer: "INT64",
  number: "FLOAT64",
  boolean: "BOOL",
  timestamp: "TIMESTAMP",
  date: "DATE",
  json: "JSON",
};

/** Types that a table can be clustered by. */
export const SORTABLE: readonly ColumnType[] = [
  "string",
  "integer",
  "boolean",
  "timestamp",
  "date",
];

/** Most columns that a table can be clustered by. Source: BigQuery docs, "Clustered tables". */
export const CLUSTERING = 4;

/** Columns that BigQuery keeps for itself. Source: BigQuery docs, "Column names". */
const RESERVED =
  /^(_TABLE_|_FILE_|_PARTITION|_ROW_TIMESTAMP|__ROOT__|_COLIDENTIFIER|_CHANGE_SEQUENCE_NUMBER|_CHANGE_TYPE|_CHANGE_TIMESTAMP)/i;
/** What a column may be called. */
export const COLUMN = /^[^!"$()*,./;?@[\\\]^`{}~\p{Cc}]{1,300}$/u;
/** What a table may be called. */
export const TABLE = /^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]+$/u;

/** A name. */
export const quoted = (name: string): string => `\`${name.replaceAll(/[\\`]/g, String.raw`\$&`)}\``;

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text; also within the quotes nothing but printable characters. */
export const literal = (text: string): string =>
  `'${text
    .replaceAll(/[\\']/g, String.raw`\$&`)
    .replaceAll(
      /\p{Cc}/gu,
      (c) => ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    )}'`;

/** A value as JSON. */
export const json = (value: Json): string =>
  `PARSE_JSON(${literal(stringify(value))}, wide_number_mode => 'round')`;

/** An instant. */
export const instant = (at: string): string => `TIMESTAMP ${literal(at)}`;

/** The option that describes a column. */
export const described = (description: string): string =>
  description === "" ? "" : ` OPTIONS(description = ${literal(description.slice(0, 1024))})`;

/** The last version of each row of a staging table, as it goes into its table. */
export function latest({ table, relation }: Staged): string {
  const nested = table.columns.filter((c) => c.type === "json").map((c) => quoted(c.name));
  const parsed = nested.map((name) => `${parsing(name)} AS ${name}`);
  const all = parsed.length === 0 ? "*" : `* REPLACE (${parsed.join(", ")})`;
  return `SELECT ${all} FROM ${relation} WHERE TRUE ${lastOnly(table)}`;
}

/** Staged text as JSON. BigQuery's JSON has no integers beyond 64 bits: they are rounded. */
export function parsing(name: string): string {
  return `PARSE_JSON(${name}, wide_number_mode => 'round')`;
}

/** Leaves the last version of each row. */
export function lastOnly({ primaryKey }: Table): string {
  const keys = primaryKey.map(quoted).join(", ");
  return `QUALIFY ROW_NUMBER() OVER (PARTITION BY ${keys} ORDER BY ${quoted(SEQUENCE.name)} DESC) = 1`;
}

/** Columns of a table, the loader's too, and what a row `s` brings to each. */
export function targets(table: Table, loadId: string): readonly (readonly [string, string])[] {
  const [id, extracted, digest] = META.map((c) => quoted(c.name)) as [string, string, string];
  return [
    ...table.columns.map(({ name }): readonly [string, string] => [
      quoted(name),
      `s.${quoted(name)}`,
    ]),
    [id, literal(loadId)],
    [extracted, `s.${extracted}`],
    [digest, `s.${digest}`],
  ];
}

/** A column's value in a wider type, as it stands in rows: old and new values look alike. */
export function widened(name: string, from: ColumnType, to: ColumnType): string {
  if (to !== "string") return `CAST(${name} AS ${TYPES[to]})`;
  if (from === "timestamp") return `FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%E3SZ', ${name}, 'UTC')`;
  if (from === "json") {
    return `IF(JSON_TYPE(${name}) = 'string', JSON_VALUE(${name}), TO_JSON_STRING(${name}))`;
  }
  return `CAST(${name} AS STRING)`;
}

/** Where a table keeps rows of each month apart; empty where it does not. */
export function partitioned({ columns, partition }: Table): string {
  const column = columns.find((c) => c.name === partition);
  if (column?.type === "timestamp") {
    return ` PARTITION BY TIMESTAMP_TRUNC(${quoted(column.name)}, MONTH)`;
  }
  return column?.type === "date" ? ` PARTITION BY DATE_TRUNC(${quoted(column.name)}, MONTH)` : "";
}

/** What a spooled line has beside the stream's columns; rejected rows have none of it. */
export function staging(table: Table): readonly TableColumn[] {
  const [, extracted, digest] = META;
  return table.name === "_kb4_rejects" ? [] : [extracted, SEQUENCE, digest];
}

/** @throws ConnectorError `config` for a name that BigQuery cannot have. */
export function refuseName(table: string, column: string, allowed: RegExp): void {
  const name = column === "" ? table : column;
  if (allowed.test(name) && !RESERVED.test(name)) return;
  const where = column === "" ? `stream "${table}"` : `${table}.${column}`;
  throw new ConnectorError("config", `${where}: not a name that BigQuery can have`, {
    hint: "rename or deselect it at the source",
  });
}
