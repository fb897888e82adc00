import { OBSERVED_AT } from "../../core/columns.js";
import type { HistoryDialect, Merge, Staged, Statement } from "../dialect.js";
import { currentOf, DELETED_AT, META, VALIDITY, type Table } from "../table.js";
import { described, lastOnly, latest, quoted, targets } from "./sql.js";

const DIGEST = quoted(META[2].name);
const EXTRACTED = quoted(META[1].name);
const DELETED = quoted(DELETED_AT.name);
const [FROM, TO] = VALIDITY.map((c) => quoted(c.name)) as [string, string];
/** Names that no column of a stream has. */
const [AT, HOLDS, EARLIEST, ENDS] = ["at", "holds", "earliest", "ends"].map((n) =>
  quoted(`_kb4_${n}`),
) as [string, string, string, string];

/** An instant and the least time that a version holds. */
const later = (at: string): string => `TIMESTAMP_ADD(${at}, INTERVAL 1 MILLISECOND)`;

/** When a version that began to hold is over, at the earliest at some instant. */
export const endedAt = (at: string): string => `GREATEST(${at}, ${later(`t.${FROM}`)})`;

/**
 * BigQuery's SQL of tables that keep history.
 *
 * @param named a table's name in full.
 */
export function historyIn(named: (table: string) => string): HistoryDialect {
  return {
    countChanges: ({ staged: { table, relation } }: Merge) => {
      const keys = table.primaryKey.map(quoted);
      return [
        `SELECT COUNT(*) AS n FROM (SELECT ${[...keys, DIGEST].join(", ")} FROM ${relation} WHERE TRUE ${lastOnly(table)}) AS s`,
        `LEFT JOIN ${named(table.name)} AS t ON ${isSame(table, "t", "s")} AND t.${TO} IS NULL`,
        `WHERE t.${DIGEST} IS NULL OR t.${DIGEST} != s.${DIGEST}`,
      ].join(" ");
    },

    merge: ({ staged, loadId, skipsUnchanged }: Merge) => {
      const { table } = staged;
      const values = [...targets(table, loadId), [FROM, `s.${AT}`] as const];
      return [
        ...(skipsUnchanged ? [] : fill(named(table.name), staged)),
        {
          purpose: `merging into ${table.name}`,
          sql: [
            `MERGE INTO ${named(table.name)} AS t`,
            `USING (${changes(named(table.name), staged)}) AS s`,
            // What begins matches nothing, so that it is inserted.
            `ON ${isSame(table, "t", "s")} AND t.${TO} IS NULL AND s.${ENDS}`,
            `WHEN MATCHED THEN UPDATE SET ${TO} = s.${AT}`,
            `WHEN NOT MATCHED THEN INSERT (${values.map(([name]) => name).join(", ")})`,
            `VALUES (${values.map(([, value]) => value).join(", ")})`,
          ].join(" "),
        },
      ];
    },

    makeView: ({ name }, columns) => [
      {
        purpose: `making the view ${currentOf(name)}`,
        sql: `CREATE OR REPLACE VIEW ${named(currentOf(name))}${described(`Rows of ${name} as they are now.`)} AS SELECT ${columns.map(quoted).join(", ")} FROM ${named(name)} WHERE ${TO} IS NULL`,
      },
    ],
  };
}

const isSame = ({ primaryKey }: Table, a: string, b: string): string =>
  primaryKey.map((k) => `${a}.${quoted(k)} = ${b}.${quoted(k)}`).join(" AND ");

/** When a staged row was observed. */
function observed(table: Table): string {
  const has = table.columns.some((c) => c.name === OBSERVED_AT.name && c.type === "timestamp");
  const arrived = `s.${EXTRACTED}`;
  return has ? `COALESCE(s.${quoted(OBSERVED_AT.name)}, ${arrived})` : arrived;
}

/**
 * Rows that differ from the version that holds, with the instant `_kb4_at` from which they do: once
 * to begin a version, and once to end that one (`_kb4_ends`) where there is one.
 */
function changes(into: string, staged: Staged): string {
  const { table } = staged;
  const keys = table.primaryKey.map((k) => `t.${quoted(k)}`).join(", ");
  // A row that was gone has been so for a while, however the clock went.
  const free = `CASE WHEN t.${TO} IS NULL THEN ${later(`t.${FROM}`)} WHEN t.${DELETED} IS NULL THEN t.${TO} ELSE ${later(`t.${TO}`)} END`;
  const before = `SELECT ${keys}, MAX(IF(t.${TO} IS NULL, t.${DIGEST}, NULL)) AS ${HOLDS}, MAX(${free}) AS ${EARLIEST} FROM ${into} AS t GROUP BY ${keys}`;
  const at = observed(table);
  return [
    `SELECT s.*, GREATEST(${at}, COALESCE(b.${EARLIEST}, ${at})) AS ${AT}, e.${ENDS}`,
    `FROM (${latest(staged)}) AS s LEFT JOIN (${before}) AS b ON ${isSame(table, "b", "s")}`,
    `CROSS JOIN (SELECT TRUE AS ${ENDS} UNION ALL SELECT FALSE) AS e`,
    `WHERE (b.${HOLDS} IS NULL OR b.${HOLDS} != s.${DIGEST}) AND (NOT e.${ENDS} OR b.${HOLDS} IS NOT NULL)`,
  ].join(" ");
}

/** Fills what is new in versions that hold; since when they do is not touched. */
function fill(into: string, staged: Staged): readonly Statement[] {
  const { table } = staged;
  const columns = table.columns
    .filter((c) => !table.primaryKey.includes(c.name) && c.name !== OBSERVED_AT.name)
    .map((c) => `${quoted(c.name)} = s.${quoted(c.name)}`);
  if (columns.length === 0) return [];
  return [
    {
      purpose: `filling new columns of ${table.name}`,
      sql: [
        `MERGE INTO ${into} AS t USING (${latest(staged)}) AS s`,
        `ON ${isSame(table, "t", "s")} AND t.${TO} IS NULL AND t.${DIGEST} = s.${DIGEST}`,
        `WHEN MATCHED THEN UPDATE SET ${columns.join(", ")}`,
      ].join(" "),
    },
  ];
}
