import type { ColumnType } from "../../core/fields.js";
import type { Dialect, Merge, Staged, Statement, Vanishing } from "../dialect.js";
import { inScopes } from "../scopes.js";
import {
  isAlwaysSet,
  META,
  metaOf,
  SEQUENCE,
  VALIDITY,
  type Table,
  type TableColumn,
} from "../table.js";
import { booksIn, NO_COLLATION } from "./books.js";
import { endedAt, historyIn } from "./history.js";
import { exactly, instant, literal, quoted } from "./names.js";

/** Types as {@link Dialect.describe} gives them. */
const TYPES: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  integer: "NUMBER(38,0)",
  number: "FLOAT",
  boolean: "BOOLEAN",
  timestamp: "TIMESTAMP_TZ",
  date: "DATE",
  json: "VARIANT",
};

/** Nothing of a value is taken for something else, whatever the account's defaults are. */
const FILE_FORMAT = [
  "TYPE = JSON COMPRESSION = GZIP STRIP_OUTER_ARRAY = FALSE STRIP_NULL_VALUES = FALSE",
  "ENABLE_OCTAL = FALSE ALLOW_DUPLICATE = FALSE TRIM_SPACE = FALSE NULL_IF = ()",
  "DATE_FORMAT = AUTO TIMESTAMP_FORMAT = AUTO REPLACE_INVALID_CHARACTERS = FALSE",
].join(" ");

const [ID, EXTRACTED, DIGEST, DELETED] = META.map((c) => quoted(c.name)) as [
  string,
  string,
  string,
  string,
];
const SEQ = quoted(SEQUENCE.name);
const VALID_TO = quoted(VALIDITY[1].name);

/** Whether a row `t` is one that is there: in history, the version of it that holds. */
const isThere = ({ hasHistory }: Table): string =>
  `t.${hasHistory === true ? VALID_TO : DELETED} IS NULL`;

const isKey = (table: Table, column: TableColumn): boolean =>
  table.primaryKey.includes(column.name);
const isSame = (table: Table): string =>
  table.primaryKey.map((k) => `t.${quoted(k)} = s.${quoted(k)}`).join(" AND ");

/** Staged JSON has a null of its own, which is not that of a column. */
const value = ({ name, type }: TableColumn): string =>
  type === "json" ? `STRIP_NULL_VALUE(${quoted(name)})` : quoted(name);

/** Staged rows of which no two have the same key: the last version of each. */
const latest = (columns: readonly string[], { table, relation }: Staged): string =>
  [
    `SELECT ${columns.join(", ")} FROM ${relation}`,
    `QUALIFY ROW_NUMBER() OVER (PARTITION BY ${table.primaryKey.map(quoted).join(", ")} ORDER BY ${SEQ} DESC) = 1`,
  ].join(" ");

/** The same with all columns, as they go into the table. */
const ready = (staged: Staged): string => {
  const columns = staged.table.columns.map((c) =>
    c.type === "json" ? `${value(c)} AS ${quoted(c.name)}` : quoted(c.name),
  );
  return latest([...columns, EXTRACTED, DIGEST], staged);
};

/** Snowflake's SQL for one schema. */
export interface SnowflakeDialect extends Dialect {
  /** What a session's result must not depend on, set in one statement. */
  settings(limits: { readonly statementSeconds: number }): Statement;
  /** A place for files that ends with the session. */
  createFiles(): Statement;
  /** Brings a local file into a folder of {@link createFiles}. Both paths have forward slashes. */
  put(path: string, folder: string): Statement;
  /** Name of a staging table, quoted and ready for SQL. */
  staging(name: string): string;
  /** A table with the types of a table and the order of its rows, that ends with the session. */
  createStaging(staged: Staged): Statement;
  /** Reads the files of a folder into a staging table; answers with one row per file. */
  copy(staged: Staged, folder: string): Statement;
}

/** Snowflake's SQL for the tables of a schema. Both names exactly as Snowflake has them. */
export function snowflakeDialect(database: string, schema: string): SnowflakeDialect {
  const place = `${exactly(database)}.${exactly(schema)}`;
  const named = (table: string): string => `${place}.${quoted(table)}`;
  const files = named("_kb4_files");

  const insert = (staged: Staged, loadId: string): string => {
    const { table, relation } = staged;
    const into = [...table.columns.map((c) => quoted(c.name)), ID, EXTRACTED, DIGEST];
    const from = [...table.columns.map(value), literal(loadId), EXTRACTED, DIGEST];
    return `INSERT INTO ${named(table.name)} (${into.join(", ")}) SELECT ${from.join(", ")} FROM ${relation}`;
  };

  /** Rows \`t\` that are there and will be marked, and where they are looked for. */
  const going = ({ table, relation, scopes }: Vanishing): string => {
    const isIn = inScopes(table, scopes, { quoted, literal }) ?? "FALSE";
    const [first = ""] = table.primaryKey;
    const [join, isGone] =
      relation === null
        ? ["", ""]
        : [` LEFT JOIN ${relation} AS s ON ${isSame(table)}`, ` AND s.${quoted(first)} IS NULL`];
    return `FROM ${named(table.name)} AS t${join} WHERE ${isThere(table)} AND ${isIn}${isGone}`;
  };

  return {
    name: "Snowflake",
    transactionalDdl: false,
    words: {
      named,
      quoted,
      literal,
      alias: exactly,
      text: (value) => `${value}::VARCHAR`,
      json: (value) => `TO_JSON(${value})`,
      member: (value, path) => `GET_PATH(${value}, ${literal(path.join("."))})::VARCHAR`,
      contains: (text, part) => `CONTAINS(${text}, ${part})`,
    },
    ...booksIn(named, place),

    settings: ({ statementSeconds }) => ({
      purpose: "setting up the session",
      sql: [
        "ALTER SESSION SET TIMEZONE = 'UTC', TIMESTAMP_INPUT_FORMAT = 'AUTO', DATE_INPUT_FORMAT = 'AUTO',",
        "QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE, AUTOCOMMIT = TRUE, TRANSACTION_ABORT_ON_ERROR = TRUE,",
        "ERROR_ON_NONDETERMINISTIC_MERGE = TRUE, USE_CACHED_RESULT = FALSE, ROWS_PER_RESULTSET = 0,",
        `JSON_INDENT = 0, STATEMENT_TIMEOUT_IN_SECONDS = ${String(statementSeconds)},`,
        `LOCK_TIMEOUT = ${String(statementSeconds)}`,
      ].join(" "),
    }),

    createFiles: () => ({
      purpose: "making a stage for files",
      sql: `CREATE TEMPORARY STAGE IF NOT EXISTS ${files}`,
    }),

    put: (path, folder) => ({
      purpose: "uploading a file",
      sql: `PUT ${literal(`file://${path}`)} ${literal(`@${files}/${folder}/`)} SOURCE_COMPRESSION = GZIP AUTO_COMPRESS = FALSE OVERWRITE = TRUE`,
    }),

    staging: named,

    createStaging: ({ table, relation }) => {
      const columns = staged(table).map((c) => `${quoted(c.name)} ${TYPES[c.type]}`);
      return {
        purpose: `making a staging table for ${table.name}`,
        sql: `CREATE OR REPLACE TEMPORARY TABLE ${relation} (${columns.join(", ")}) ${NO_COLLATION}`,
      };
    },

    copy: ({ table, relation }, folder) => {
      const columns = staged(table);
      const into = columns.map((c) => quoted(c.name)).join(", ");
      const from = columns.map(
        (c) => `$1[${literal(c.name)}]${c.type === "json" ? "" : `::${TYPES[c.type]}`}`,
      );
      return {
        purpose: `reading the spooled rows of ${table.name}`,
        sql: [
          `COPY INTO ${relation} (${into}) FROM (SELECT ${from.join(", ")} FROM ${literal(`@${files}/${folder}/`)})`,
          `FILE_FORMAT = (${FILE_FORMAT}) ON_ERROR = ABORT_STATEMENT`,
        ].join(" "),
      };
    },

    describe: () =>
      [
        `SELECT t."TABLE_NAME" AS "relation", CASE t."TABLE_TYPE" WHEN 'BASE TABLE' THEN 'table' ELSE 'view' END AS "kind",`,
        `c."COLUMN_NAME" AS "name", CASE c."DATA_TYPE"`,
        `WHEN 'TEXT' THEN CASE WHEN c."CHARACTER_MAXIMUM_LENGTH" < 16777216 THEN 'VARCHAR(' || c."CHARACTER_MAXIMUM_LENGTH" || ')' ELSE 'VARCHAR' END`,
        `WHEN 'NUMBER' THEN 'NUMBER(' || c."NUMERIC_PRECISION" || ',' || c."NUMERIC_SCALE" || ')' ELSE c."DATA_TYPE" END AS "type",`,
        `c."IS_NULLABLE" = 'NO' AND c."COLUMN_DEFAULT" IS NULL AS "required"`,
        `FROM ${exactly(database)}."INFORMATION_SCHEMA"."TABLES" AS t LEFT JOIN ${exactly(database)}."INFORMATION_SCHEMA"."COLUMNS" AS c`,
        `ON c."TABLE_SCHEMA" = t."TABLE_SCHEMA" AND c."TABLE_NAME" = t."TABLE_NAME"`,
        `WHERE t."TABLE_SCHEMA" = ${literal(schema)} AND t."TABLE_TYPE" NOT LIKE '%TEMPORARY%'`,
        `ORDER BY t."TABLE_NAME", c."ORDINAL_POSITION"`,
      ].join(" "),

    typeOf: (name) => (Object.keys(TYPES) as ColumnType[]).find((type) => TYPES[type] === name),

    typeName: (type) => TYPES[type],

    createTable: (table) => {
      const { name, description, columns } = table;
      const defined = [...columns, ...metaOf(table)].map((c) => {
        return `${quoted(c.name)} ${TYPES[c.type]}${isAlwaysSet(table, c) ? " NOT NULL" : ""}${comment(c)}`;
      });
      return [
        {
          purpose: `making ${name}`,
          sql: `CREATE TABLE IF NOT EXISTS ${named(name)} (${defined.join(", ")}) ${NO_COLLATION}${description === "" ? "" : ` COMMENT = ${literal(description)}`}`,
        },
      ];
    },

    addColumn: (table, column) => [
      {
        purpose: `adding ${table}.${column.name}`,
        sql: `ALTER TABLE ${named(table)} ADD COLUMN IF NOT EXISTS ${quoted(column.name)} ${TYPES[column.type]}${comment(column)}`,
      },
    ],

    // A type cannot be changed in place. At every moment one of the two columns is whole.
    widenColumn: (table, column, from, to) => {
      const purpose = `widening ${table}.${column}`;
      const [old, wide] = [quoted(column), quoted(spareOf(column))];
      return [
        `ALTER TABLE ${named(table)} ADD COLUMN IF NOT EXISTS ${wide} ${TYPES[to]}`,
        `UPDATE ${named(table)} SET ${wide} = ${widened(old, from, to)}`,
        `ALTER TABLE ${named(table)} DROP COLUMN ${old}`,
        `ALTER TABLE ${named(table)} RENAME COLUMN ${wide} TO ${old}`,
      ].map((sql) => ({ purpose, sql }));
    },

    spare: {
      name: spareOf,
      take: (table, column) => [
        {
          purpose: `widening ${table}.${column}`,
          sql: `ALTER TABLE ${named(table)} RENAME COLUMN ${quoted(spareOf(column))} TO ${quoted(column)}`,
        },
      ],
    },

    // A merge takes the last version of each row itself.
    findRepeats: () => null,

    countChanges: ({ staged: rows, skipsUnchanged }: Merge) => {
      if (!skipsUnchanged) return null;
      const keys = rows.table.primaryKey.map(quoted);
      return [
        `SELECT COUNT(*) AS "n" FROM (${latest([...keys, DIGEST], rows)}) AS s`,
        `LEFT JOIN ${named(rows.table.name)} AS t ON ${isSame(rows.table)}`,
        `WHERE t.${DIGEST} IS NULL OR t.${DIGEST} <> s.${DIGEST} OR t.${DELETED} IS NOT NULL`,
      ].join(" ");
    },

    merge: ({ staged: rows, loadId, skipsUnchanged }: Merge) => {
      const { table } = rows;
      const own = table.columns.map((c) => quoted(c.name));
      const set = [
        ...table.columns.filter((c) => !isKey(table, c)).map((c) => quoted(c.name)),
        EXTRACTED,
        DIGEST,
      ].map((c) => `${c} = s.${c}`);
      const isOther = ` AND (t.${DIGEST} <> s.${DIGEST} OR t.${DELETED} IS NOT NULL)`;
      return [
        {
          purpose: `merging into ${table.name}`,
          sql: [
            `MERGE INTO ${named(table.name)} AS t USING (${ready(rows)}) AS s ON ${isSame(table)}`,
            `WHEN MATCHED${skipsUnchanged ? isOther : ""} THEN UPDATE SET ${[...set, `${ID} = ${literal(loadId)}`, `${DELETED} = NULL`].join(", ")}`,
            `WHEN NOT MATCHED THEN INSERT (${[...own, ID, EXTRACTED, DIGEST].join(", ")})`,
            `VALUES (${[...own.map((c) => `s.${c}`), literal(loadId), `s.${EXTRACTED}`, `s.${DIGEST}`].join(", ")})`,
          ].join(" "),
        },
      ];
    },

    history: historyIn(named, { some: latest, all: ready }),

    countVanished: (vanishing) => {
      const { table, at } = vanishing;
      const from = `FROM ${named(table.name)} AS t WHERE`;
      const marked = `t.${DELETED} = ${instant(at)}`;
      return [
        `SELECT (SELECT COUNT(*) ${from} ${isThere(table)} OR ${marked}) AS "live",`,
        `(SELECT COUNT(*) ${from} ${marked}) + (SELECT COUNT(*) ${going(vanishing)}) AS "vanished"`,
      ].join(" ");
    },

    // A merge, as an update has no name for its table that a condition could use.
    markVanished: (vanishing) => {
      const { table, at } = vanishing;
      const keys = table.primaryKey.map((k) => `t.${quoted(k)} AS ${quoted(k)}`).join(", ");
      const [hold, ending] =
        table.hasHistory === true
          ? [` AND t.${VALID_TO} IS NULL`, `, ${VALID_TO} = ${endedAt(instant(at))}`]
          : ["", ""];
      return {
        purpose: `marking what has gone from ${table.name}`,
        sql: [
          `MERGE INTO ${named(table.name)} AS t USING (SELECT ${keys} ${going(vanishing)}) AS s ON ${isSame(table)}${hold}`,
          `WHEN MATCHED THEN UPDATE SET ${DELETED} = ${instant(at)}${ending}`,
        ].join(" "),
      };
    },

    countRows: ({ table, key, by }, marks) => {
      const part = by === null ? "''" : quoted(by);
      const columns = [...new Set([...key, ...(by === null ? [] : [by])])].map(quoted).join(", ");
      const live = marks === "marks" ? ` WHERE ${DELETED} IS NULL` : "";
      return `SELECT ${part} AS "part", COUNT(*) AS "n" FROM (SELECT DISTINCT ${columns} FROM ${named(table)}${live}) GROUP BY 1 ORDER BY 1`;
    },

    append: (rows, loadId) => [
      { purpose: `writing into ${rows.table.name}`, sql: insert(rows, loadId) },
    ],

    // Without a condition Snowflake drops what it points at and reads nothing.
    replace: (table, rows, loadId) => [
      { purpose: `emptying ${table}`, sql: `DELETE FROM ${named(table)}` },
      ...(rows === null ? [] : [{ purpose: `writing into ${table}`, sql: insert(rows, loadId) }]),
    ],
  };
}

/** Holds a column's values while its type is changed. */
function spareOf(column: string): string {
  return `_kb4_wide_${column}`;
}

function comment({ description }: TableColumn): string {
  return description === "" ? "" : ` COMMENT ${literal(description)}`;
}

/** A value as it would stand in a row of the wider type, so that old and new ones look alike. */
function widened(column: string, from: ColumnType, to: ColumnType): string {
  if (to !== "string") return `${column}::${TYPES[to]}`;
  if (from === "timestamp") {
    return `TO_VARCHAR(CONVERT_TIMEZONE('UTC', ${column}), 'YYYY-MM-DD"T"HH24:MI:SS.FF3"Z"')`;
  }
  if (from === "date") return `TO_VARCHAR(${column}, 'YYYY-MM-DD')`;
  return `${column}::VARCHAR`;
}

/** Columns of a staging table: rejected rows have none of the loader's. */
function staged(table: Table): readonly TableColumn[] {
  const [, extracted, digest] = META;
  const ours = table.name === "_kb4_rejects" ? [] : [extracted, SEQUENCE, digest];
  return [...table.columns, ...ours];
}
