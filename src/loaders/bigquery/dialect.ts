import type { ColumnType } from "../../core/fields.js";
import type { Dialect, Merge, Staged, Statement, Vanishing } from "../dialect.js";
import { inScopes } from "../scopes.js";
import { DELETED_AT, isAlwaysSet, META, metaOf, VALIDITY, type Table } from "../table.js";
import { endedAt, historyIn } from "./history.js";
import { books } from "./books.js";
import {
  CLUSTERING,
  COLUMN,
  described,
  instant,
  LABELS,
  lastOnly,
  latest,
  literal,
  parsing,
  partitioned,
  quoted,
  refuseName,
  SORTABLE,
  staging,
  TABLE,
  targets,
  TYPES,
  widened,
} from "./sql.js";

/** What the script of a commit says where another runner was faster. */
export const OUTRUN = "kb4_outrun";

/** Prefix of staging tables. */
export const STAGE = "_kb4_stage_";

/** A field of a load job's schema. */
export interface LoadField {
  readonly name: string;
  readonly type: string;
}

/** BigQuery's SQL for one dataset. */
export interface BigQueryDialect extends Dialect {
  /** Schema of a staging table. JSON comes as text: a load would take some texts for JSON. */
  stagingFields(table: Table): readonly LoadField[];
  /** A staging table, ready for SQL. */
  staging(name: string): string;
  /** Statements as one script, each for itself. */
  script(statements: readonly Statement[]): string;
  /** Statements as one script that takes effect whole or not at all. */
  transaction(statements: readonly Statement[]): string;
  /** What comparing rows with a table reads of it, for an estimate of its bytes. */
  readKeys(table: Table): string;
  /** Reads and writes as much as a merge that changes every partition, for an estimate of its bytes. */
  rewrite(table: Table): string;
}

/** BigQuery's SQL for the tables of a dataset. */
export function bigQueryDialect(project: string, dataset: string): BigQueryDialect {
  const place = `${quoted(project)}.${quoted(dataset)}`;
  const named = (table: string): string => `${place}.${quoted(table)}`;
  const deletedAt = quoted(DELETED_AT.name);
  const validTo = quoted(VALIDITY[1].name);

  /** Whether a row `t` is one that is there: in history, the version of it that holds. */
  const isThere = ({ hasHistory }: Table): string =>
    `t.${hasHistory === true ? validTo : deletedAt} IS NULL`;

  /** Rows \`t\` that are there and will be marked. */
  const going = ({ table, relation, scopes }: Vanishing): string => {
    const same = table.primaryKey.map((k) => `s.${quoted(k)} = t.${quoted(k)}`).join(" AND ");
    const isIn = inScopes(table, scopes, { quoted, literal }) ?? "FALSE";
    const isGone =
      relation === null ? "" : ` AND NOT EXISTS (SELECT 1 FROM ${relation} AS s WHERE ${same})`;
    return `${isThere(table)} AND ${isIn}${isGone}`;
  };

  const merge = ({ staged, loadId, skipsUnchanged }: Merge): readonly Statement[] => {
    const { table } = staged;
    const values = targets(table, loadId);
    const set = values.filter(([name]) => !table.primaryKey.map(quoted).includes(name));
    const same = table.primaryKey.map((k) => `t.${quoted(k)} = s.${quoted(k)}`).join(" AND ");
    const digest = quoted(META[2].name);
    const isOther = ` AND (t.${digest} != s.${digest} OR t.${deletedAt} IS NOT NULL)`;
    return [
      {
        purpose: `merging into ${table.name}`,
        sql: [
          `MERGE INTO ${named(table.name)} AS t`,
          `USING (${latest(staged)}) AS s`,
          `ON ${same}`,
          `WHEN MATCHED${skipsUnchanged ? isOther : ""} THEN`,
          // Not a bare NULL, which BigQuery takes: within a MERGE the server of the tests reads a comparison.
          `UPDATE SET ${set.map(([name, value]) => `${name} = ${value}`).join(", ")}, ${deletedAt} = CAST(NULL AS TIMESTAMP)`,
          `WHEN NOT MATCHED THEN INSERT (${values.map(([name]) => name).join(", ")})`,
          `VALUES (${values.map(([, value]) => value).join(", ")})`,
        ].join(" "),
      },
    ];
  };

  const insert = ({ table, relation }: Staged, loadId: string): Statement => {
    const nested = new Set(
      table.columns.filter((c) => c.type === "json").map((c) => quoted(c.name)),
    );
    const values = targets(table, loadId).map(
      ([name, value]) => [name, nested.has(name) ? parsing(value) : value] as const,
    );
    return {
      purpose: `writing into ${table.name}`,
      sql: [
        `INSERT INTO ${named(table.name)} (${values.map(([name]) => name).join(", ")})`,
        `SELECT ${values.map(([, value]) => value).join(", ")} FROM ${relation} AS s`,
      ].join(" "),
    };
  };

  return {
    name: "BigQuery",
    transactionalDdl: false,
    words: {
      named,
      quoted,
      literal,
      alias: quoted,
      text: (value) => `CAST(${value} AS STRING)`,
      json: (value) => `TO_JSON_STRING(${value})`,
      member: (value, path) => `JSON_VALUE(${value}, ${literal(`$.${path.join(".")}`)})`,
      contains: (text, part) => `STRPOS(${text}, ${part}) > 0`,
    },

    ...books(named),

    describe: () =>
      [
        "SELECT t.table_name AS relation, IF(t.table_type = 'BASE TABLE', 'table', 'view') AS kind,",
        "c.column_name AS name, c.data_type AS type,",
        // Through JSON, because not every server's view has this column.
        "c.is_nullable = 'NO' AND IFNULL(JSON_VALUE(TO_JSON_STRING(c), '$.column_default'), 'NULL') = 'NULL' AS required",
        `FROM ${place}.INFORMATION_SCHEMA.TABLES AS t`,
        `LEFT JOIN ${place}.INFORMATION_SCHEMA.COLUMNS AS c ON c.table_name = t.table_name`,
        `WHERE NOT STARTS_WITH(t.table_name, '${STAGE}')`,
        "ORDER BY t.table_name, c.ordinal_position",
      ].join(" "),

    typeOf: (name) =>
      (Object.keys(TYPES) as ColumnType[]).find((type) => TYPES[type] === name.toUpperCase()),

    typeName: (type) => TYPES[type],

    createTable: (table) => {
      const { name, description, columns, primaryKey } = table;
      refuseName(table.name, "", TABLE);
      for (const column of columns) refuseName(table.name, column.name, COLUMN);
      const defined = [...columns, ...metaOf(table)].map(
        (c) =>
          `${quoted(c.name)} ${TYPES[c.type]}${isAlwaysSet(table, c) ? " NOT NULL" : ""}${described(c.description)}`,
      );
      const clustered = primaryKey
        .filter((k) => columns.some((c) => c.name === k && SORTABLE.includes(c.type)))
        .slice(0, CLUSTERING)
        .map(quoted);
      const cluster = clustered.length === 0 ? "" : ` CLUSTER BY ${clustered.join(", ")}`;
      const text = description === "" ? "" : `description = ${literal(description)}, `;
      return [
        {
          purpose: `making ${name}`,
          // A run that died after making it comes back to it.
          sql: `CREATE TABLE IF NOT EXISTS ${named(name)} (${defined.join(", ")})${partitioned(table)}${cluster} OPTIONS(${text}${LABELS})`,
        },
      ];
    },

    addColumn: (table, column) => {
      refuseName(table, column.name, COLUMN);
      return [
        {
          purpose: `adding ${table}.${column.name}`,
          sql: `ALTER TABLE ${named(table)} ADD COLUMN IF NOT EXISTS ${quoted(column.name)} ${TYPES[column.type]}${described(column.description)}`,
        },
      ];
    },

    widenColumn: (table, column, from, to) => {
      const purpose = `widening ${table}.${column}`;
      const alter = `ALTER TABLE ${named(table)}`;
      const name = quoted(column);
      if (from === "integer" && to === "number") {
        return [{ purpose, sql: `${alter} ALTER COLUMN ${name} SET DATA TYPE FLOAT64` }];
      }
      // Other types cannot be changed in place: a wider column is filled beside it, and the two
      // change names in one statement. A run that died in between begins again.
      const wide = quoted(`_kb4_wide_${column}`);
      const old = quoted(`_kb4_old_${column}`);
      const steps = [
        `${alter} DROP COLUMN IF EXISTS ${old}`,
        `${alter} DROP COLUMN IF EXISTS ${wide}`,
        `${alter} ADD COLUMN ${wide} ${TYPES[to]}`,
        `UPDATE ${named(table)} SET ${wide} = ${widened(name, from, to)} WHERE ${name} IS NOT NULL`,
        `${alter} RENAME COLUMN ${name} TO ${old}, RENAME COLUMN ${wide} TO ${name}`,
        `${alter} DROP COLUMN ${old}`,
      ];
      return steps.map((sql) => ({ purpose, sql }));
    },

    stagingFields: (table) =>
      [...table.columns, ...staging(table)].map(({ name, type }) => ({
        name,
        type: type === "json" ? TYPES.string : TYPES[type],
      })),

    staging: named,

    findRepeats: () => null,

    countChanges: ({ staged }) => {
      const { table, relation } = staged;
      const keys = table.primaryKey.map(quoted);
      const digest = quoted(META[2].name);
      const same = keys.map((k) => `t.${k} = s.${k}`).join(" AND ");
      return [
        `SELECT COUNT(*) AS n FROM (SELECT ${[...keys, digest].join(", ")} FROM ${relation} WHERE TRUE ${lastOnly(table)}) AS s`,
        `LEFT JOIN ${named(table.name)} AS t ON ${same}`,
        `WHERE t.${digest} IS NULL OR t.${digest} != s.${digest} OR t.${deletedAt} IS NOT NULL`,
      ].join(" ");
    },

    merge,

    history: historyIn(named),

    append: (staged, loadId) => [insert(staged, loadId)],

    replace: (table, staged, loadId) => [
      { purpose: `emptying ${table}`, sql: `DELETE FROM ${named(table)} WHERE TRUE` },
      ...(staged === null ? [] : [insert(staged, loadId)]),
    ],

    countVanished: (vanishing) => {
      const from = `FROM ${named(vanishing.table.name)} AS t WHERE`;
      const marked = `t.${deletedAt} = ${instant(vanishing.at)}`;
      return [
        `SELECT (SELECT COUNT(*) ${from} ${isThere(vanishing.table)} OR ${marked}) AS live,`,
        `(SELECT COUNT(*) ${from} ${marked}) + (SELECT COUNT(*) ${from} ${going(vanishing)}) AS vanished`,
      ].join(" ");
    },

    markVanished: (vanishing) => {
      const { table, at } = vanishing;
      const ending = table.hasHistory === true ? `, ${validTo} = ${endedAt(instant(at))}` : "";
      return {
        purpose: `marking what has gone from ${table.name}`,
        sql: `UPDATE ${named(table.name)} AS t SET ${deletedAt} = ${instant(at)}${ending} WHERE ${going(vanishing)}`,
      };
    },

    countRows: ({ table, key, by }, marks) => {
      const part = by === null ? "''" : quoted(by);
      const columns = [...new Set([...key, ...(by === null ? [] : [by])])].map(quoted).join(", ");
      const live = marks === "marks" ? ` WHERE ${deletedAt} IS NULL` : "";
      return `SELECT ${part} AS part, COUNT(*) AS n FROM (SELECT DISTINCT ${columns} FROM ${named(table)}${live}) GROUP BY 1 ORDER BY 1`;
    },

    script: (statements) => statements.map(({ sql }) => `${sql};\n`).join(""),

    transaction: (statements) =>
      [
        "BEGIN TRANSACTION;\n",
        ...statements.map(({ sql, isFence }) =>
          isFence === true
            ? `${sql};\nIF @@row_count != 1 THEN RAISE USING MESSAGE = '${OUTRUN}'; END IF;\n`
            : `${sql};\n`,
        ),
        "COMMIT TRANSACTION;\n",
      ].join(""),

    readKeys: ({ name, primaryKey }) =>
      `SELECT ${[...primaryKey, META[2].name, DELETED_AT.name].map(quoted).join(", ")} FROM ${named(name)}`,

    rewrite: ({ name }) => `UPDATE ${named(name)} SET ${deletedAt} = ${deletedAt} WHERE TRUE`,
  };
}
