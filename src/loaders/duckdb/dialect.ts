import type { ColumnType } from "../../core/fields.js";
import type { Dialect, Merge, Staged, Statement, Vanishing } from "../dialect.js";
import { inScopes } from "../scopes.js";
import {
  DELETED_AT,
  isAlwaysSet,
  META,
  metaOf,
  SEQUENCE,
  VALIDITY,
  type Table,
  type TableColumn,
} from "../table.js";
import type { SpooledFile } from "../warehouse.js";
import { books } from "./books.js";
import { endedAt, historyIn } from "./history.js";
import { literal, quoted } from "./names.js";

/**
 * Name under which the file is attached. Names of tables are always given in full: a file is usually
 * named like the schema in it, and DuckDB refuses to guess which of the two is meant.
 */
export const CATALOG = "kb4";

/** Types as DuckDB's catalogue writes them. */
const TYPES: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  integer: "BIGINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  timestamp: "TIMESTAMP WITH TIME ZONE",
  date: "DATE",
  json: "JSON",
};

const VALID_TO = quoted(VALIDITY[1].name);

/** Whether a row `t` is one that is there: in history, the version of it that holds. */
const isThere = ({ hasHistory }: Table): string =>
  `t.${hasHistory === true ? VALID_TO : quoted(DELETED_AT.name)} IS NULL`;

/** DuckDB's SQL for one schema. */
export interface DuckDbDialect extends Dialect {
  /** Attaches a database file. */
  attach(path: string, access: "read" | "write"): Statement;
  /** Rows of a staging table: `n`. */
  countStaged(staged: Staged): string;
  /** Whether staged rows have a key more than once: one row or none. */
  findRepeats(staged: Staged): string;
  /** Reads a spooled file into a temporary table with the table's types. */
  stage(table: Table, file: SpooledFile, relation: string): Statement;
}

/** DuckDB's SQL for the tables of a schema. */
export function duckDbDialect(schema: string): DuckDbDialect {
  const place = `${CATALOG}.${quoted(schema)}`;
  const named = (table: string): string => `${place}.${quoted(table)}`;

  const insert = ({ table, relation }: Staged, loadId: string): string => {
    const own = table.columns.map((c) => quoted(c.name));
    const [id, extracted, digest] = META.map((c) => quoted(c.name));
    const into = [...own, id, extracted, digest].join(", ");
    const from = [...own, literal(loadId), extracted, digest].join(", ");
    return `INSERT INTO ${named(table.name)} (${into}) SELECT ${from} FROM ${relation}`;
  };

  /** Rows `t` that are there and will be marked. */
  const going = ({ table, relation, scopes }: Vanishing): string => {
    const same = table.primaryKey.map((k) => `s.${quoted(k)} = t.${quoted(k)}`).join(" AND ");
    const isIn = inScopes(table, scopes, { quoted, literal }) ?? "FALSE";
    const isGone =
      relation === null ? "" : ` AND NOT EXISTS (SELECT 1 FROM ${relation} AS s WHERE ${same})`;
    return `${isThere(table)} AND ${isIn}${isGone}`;
  };

  /** Leaves the last version of each row of what is staged. */
  const keepLast = ({ table, relation }: Staged): Statement => {
    const keys = table.primaryKey.map(quoted);
    const seq = quoted(SEQUENCE.name);
    // Not a name that a key may have.
    const last = quoted("_kb4_last");
    const same = keys.map((k) => `s.${k} = n.${k}`).join(" AND ");
    const newest = `SELECT ${keys.join(", ")}, max(${seq}) AS ${last} FROM ${relation} GROUP BY ${keys.join(", ")} HAVING count(*) > 1`;
    return {
      purpose: `keeping the last version of each row of ${table.name}`,
      sql: `DELETE FROM ${relation} AS s USING (${newest}) AS n WHERE ${same} AND s.${seq} < n.${last}`,
    };
  };

  /** All in one: a statement each costs more than the rows of a small table. */
  const comments = (table: string, columns: readonly TableColumn[]): readonly Statement[] => {
    const described = columns.filter((c) => c.description !== "");
    if (described.length === 0) return [];
    const column = (name: string) => `${named(table)}.${quoted(name)}`;
    const each = described.map(
      (c) => `COMMENT ON COLUMN ${column(c.name)} IS ${literal(c.description)}`,
    );
    return [{ purpose: `describing columns of ${table}`, sql: each.join(";\n") }];
  };

  return {
    name: "DuckDB",
    transactionalDdl: true,
    words: {
      named,
      quoted,
      literal,
      alias: quoted,
      text: (value) => `CAST(${value} AS VARCHAR)`,
      json: (value) => `CAST(${value} AS VARCHAR)`,
      member: (value, path) => `(${value} ->> ${literal(`$.${path.map(quoted).join(".")}`)})`,
      contains: (text, part) => `contains(${text}, ${part})`,
    },

    attach: (path, access) => ({
      purpose: "opening it",
      sql: `ATTACH ${literal(path)} AS ${CATALOG} (TYPE duckdb${access === "read" ? ", READ_ONLY" : ""})`,
    }),

    ...books(place, named),

    describe: () =>
      [
        "SELECT t.table_name AS relation, CASE t.table_type WHEN 'BASE TABLE' THEN 'table' ELSE 'view' END AS kind,",
        "c.column_name AS name, c.data_type AS type,",
        "c.is_nullable = 'NO' AND c.column_default IS NULL AS required",
        "FROM information_schema.tables t LEFT JOIN information_schema.columns c",
        "ON c.table_catalog = t.table_catalog AND c.table_schema = t.table_schema AND c.table_name = t.table_name",
        `WHERE t.table_catalog = ${literal(CATALOG)} AND t.table_schema = ${literal(schema)}`,
        "ORDER BY t.table_name, c.ordinal_position",
      ].join(" "),

    typeOf: (name) =>
      (Object.keys(TYPES) as ColumnType[]).find((type) => TYPES[type] === name.toUpperCase()),

    typeName: (type) => TYPES[type],

    createTable: (table) => {
      const { name, description, columns } = table;
      const all = [...columns, ...metaOf(table)];
      const defined = all.map(
        (c) => `${quoted(c.name)} ${TYPES[c.type]}${isAlwaysSet(table, c) ? " NOT NULL" : ""}`,
      );
      return [
        { purpose: `making ${name}`, sql: `CREATE TABLE ${named(name)} (${defined.join(", ")})` },
        ...(description === ""
          ? []
          : [
              {
                purpose: `describing ${name}`,
                sql: `COMMENT ON TABLE ${named(name)} IS ${literal(description)}`,
              },
            ]),
        ...comments(name, all),
      ];
    },

    addColumn: (table, column) => [
      {
        purpose: `adding ${table}.${column.name}`,
        sql: `ALTER TABLE ${named(table)} ADD COLUMN ${quoted(column.name)} ${TYPES[column.type]}`,
      },
      ...comments(table, [column]),
    ],

    widenColumn: (table, column, from, to) => {
      const name = quoted(column);
      // As they stand in rows, so that old and new values of the column look alike.
      const asText: Partial<Record<ColumnType, string>> = {
        timestamp: `strftime(${name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')`,
        json: `${name} ->> '$'`,
      };
      const plain = `CAST(${name} AS ${TYPES[to]})`;
      const value = to === "string" ? (asText[from] ?? plain) : plain;
      return [
        {
          purpose: `widening ${table}.${column}`,
          sql: `ALTER TABLE ${named(table)} ALTER COLUMN ${name} SET DATA TYPE ${TYPES[to]} USING ${value}`,
        },
      ];
    },

    stage: (table, { path, longest }, relation) => {
      const columns = [...table.columns, ...staging(table)].map(
        (c) => `${literal(c.name)}: ${literal(TYPES[c.type])}`,
      );
      // Each thread holds two buffers of this size, so it is only as large as the rows need.
      const size = Math.max(1024 * 1024, longest + 1024);
      return {
        purpose: `reading the spooled rows of ${table.name}`,
        sql: [
          `CREATE OR REPLACE TEMPORARY TABLE ${relation} AS SELECT * FROM read_json(${literal(path)},`,
          `format = 'newline_delimited', columns = {${columns.join(", ")}},`,
          `maximum_object_size = ${String(size)})`,
        ].join(" "),
      };
    },

    countStaged: ({ relation }) => `SELECT count(*) AS n FROM ${relation}`,

    countChanges: () => null,

    findRepeats: ({ table, relation }) => {
      const keys = table.primaryKey.map(quoted).join(", ");
      return `SELECT 1 AS found FROM ${relation} GROUP BY ${keys} HAVING count(*) > 1 LIMIT 1`;
    },

    merge: ({ staged, loadId, skipsUnchanged, hasRepeats }: Merge) => {
      const { table, relation } = staged;
      const keys = table.primaryKey.map(quoted);
      const digest = quoted(META[2].name);
      const same = (a: string, b: string) => keys.map((k) => `${a}.${k} = ${b}.${k}`).join(" AND ");
      return [
        ...(hasRepeats ? [keepLast(staged)] : []),
        ...(skipsUnchanged
          ? [
              {
                purpose: `leaving out unchanged rows of ${table.name}`,
                sql: `DELETE FROM ${relation} AS s USING ${named(table.name)} AS t WHERE ${same("s", "t")} AND s.${digest} = t.${digest} AND t.${quoted(DELETED_AT.name)} IS NULL`,
              },
            ]
          : []),
        {
          purpose: `taking out old versions from ${table.name}`,
          sql: `DELETE FROM ${named(table.name)} AS t USING ${relation} AS s WHERE ${same("t", "s")}`,
        },
        { purpose: `writing into ${table.name}`, sql: insert(staged, loadId) },
      ];
    },

    history: historyIn(named, keepLast),

    append: (staged, loadId) => [
      { purpose: `writing into ${staged.table.name}`, sql: insert(staged, loadId) },
    ],

    replace: (table, staged, loadId) => [
      { purpose: `emptying ${table}`, sql: `DELETE FROM ${named(table)}` },
      ...(staged === null
        ? []
        : [{ purpose: `writing into ${table}`, sql: insert(staged, loadId) }]),
    ],

    countVanished: (vanishing) => {
      const from = `FROM ${named(vanishing.table.name)} AS t WHERE`;
      const deletedAt = `t.${quoted(DELETED_AT.name)}`;
      const marked = `${deletedAt} = ${literal(vanishing.at)}::${TYPES.timestamp}`;
      return [
        `SELECT (SELECT count(*) ${from} ${isThere(vanishing.table)} OR ${marked}) AS live,`,
        `(SELECT count(*) ${from} ${marked}) + (SELECT count(*) ${from} ${going(vanishing)}) AS vanished`,
      ].join(" ");
    },

    markVanished: (vanishing) => {
      const { table, at } = vanishing;
      const ended = endedAt(`${literal(at)}::${TYPES.timestamp}`);
      const ending = table.hasHistory === true ? `, ${VALID_TO} = ${ended}` : "";
      return {
        purpose: `marking what has gone from ${table.name}`,
        sql: `UPDATE ${named(table.name)} AS t SET ${quoted(DELETED_AT.name)} = ${literal(at)}${ending} WHERE ${going(vanishing)}`,
      };
    },

    countRows: ({ table, key, by }, marks) => {
      const part = by === null ? "''" : quoted(by);
      const columns = [...new Set([...key, ...(by === null ? [] : [by])])].map(quoted).join(", ");
      const live = marks === "marks" ? ` WHERE ${quoted(DELETED_AT.name)} IS NULL` : "";
      return `SELECT ${part} AS part, count(*) AS n FROM (SELECT DISTINCT ${columns} FROM ${named(table)}${live}) GROUP BY 1 ORDER BY 1`;
    },
  };
}

/** What a spooled line has beside the stream's columns; rejected rows have none of it. */
function staging(table: Table): readonly TableColumn[] {
  const [, extracted, digest] = META;
  return table.name === "_kb4_rejects" ? [] : [extracted, SEQUENCE, digest];
}
