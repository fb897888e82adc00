import { OBSERVED_AT } from "../../core/columns.js";
import type { HistoryDialect, Merge, Staged, Statement } from "../dialect.js";
import { currentOf, DELETED_AT, META, VALIDITY } from "../table.js";
import { literal, quoted } from "./names.js";

const [ID, EXTRACTED, DIGEST] = META.map((c) => quoted(c.name)) as [string, string, string];
const [FROM, TO] = VALIDITY.map((c) => quoted(c.name)) as [string, string];
const DELETED = quoted(DELETED_AT.name);
/** Names that no column of a stream has. */
const [EARLIEST, FOUND] = [quoted("_kb4_earliest"), quoted("_kb4_found")];

/** The least time that a version holds. */
const TICK = "INTERVAL 1 MILLISECOND";

/** When a version that began to hold is over, at the earliest at some instant. */
export const endedAt = (at: string): string => `greatest(${at}, t.${FROM} + ${TICK})`;

/**
 * DuckDB's SQL of tables that keep history.
 *
 * @param named a table's name in full.
 * @param keepLast leaves the last version of each row of what is staged.
 */
export function historyIn(
  named: (table: string) => string,
  keepLast: (staged: Staged) => Statement,
): HistoryDialect {
  return {
    countChanges: () => null,

    merge: ({ staged, loadId, skipsUnchanged, hasRepeats }: Merge) => {
      const { table, relation } = staged;
      const same = table.primaryKey.map((k) => `t.${quoted(k)} = s.${quoted(k)}`).join(" AND ");
      const holds = `${same} AND t.${TO} IS NULL`;
      const into = named(table.name);
      return [
        ...(hasRepeats ? [keepLast(staged)] : []),
        ...(skipsUnchanged ? [] : fill(into, staged, `${holds} AND t.${DIGEST} = s.${DIGEST}`)),
        {
          purpose: `leaving out unchanged rows of ${table.name}`,
          sql: `DELETE FROM ${relation} AS s USING ${into} AS t WHERE ${holds} AND t.${DIGEST} = s.${DIGEST}`,
        },
        {
          purpose: `ending old versions in ${table.name}`,
          sql: `UPDATE ${into} AS t SET ${TO} = ${endedAt(observed(staged))} FROM ${relation} AS s WHERE ${holds}`,
        },
        { purpose: `writing into ${table.name}`, sql: begin(into, staged, loadId) },
      ];
    },

    makeView: ({ name }, columns) => {
      const view = named(currentOf(name));
      const purpose = `making the view ${currentOf(name)}`;
      return [
        {
          purpose,
          // The table's name alone is looked for where the view is. Others attach the file under
          // names of their own, and its schema may have the name of one.
          sql: `CREATE OR REPLACE VIEW ${view} AS SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(name)} WHERE ${TO} IS NULL`,
        },
        {
          purpose,
          sql: `COMMENT ON VIEW ${view} IS ${literal(`Rows of ${name} as they are now.`)}`,
        },
      ];
    },
  };
}

/** When a staged row was observed. */
function observed({ table }: Staged): string {
  const has = table.columns.some((c) => c.name === OBSERVED_AT.name && c.type === "timestamp");
  const arrived = `s.${EXTRACTED}`;
  return has ? `coalesce(s.${quoted(OBSERVED_AT.name)}, ${arrived})` : arrived;
}

/** Fills what is new in versions that hold; since when they do is not touched. */
function fill(into: string, { table, relation }: Staged, isSame: string): readonly Statement[] {
  const columns = table.columns
    .filter((c) => !table.primaryKey.includes(c.name) && c.name !== OBSERVED_AT.name)
    .map((c) => `${quoted(c.name)} = s.${quoted(c.name)}`);
  if (columns.length === 0) return [];
  return [
    {
      purpose: `filling new columns of ${table.name}`,
      sql: `UPDATE ${into} AS t SET ${columns.join(", ")} FROM ${relation} AS s WHERE ${isSame}`,
    },
  ];
}

/** Begins versions, none before the last one of its row has ended. */
function begin(into: string, staged: Staged, loadId: string): string {
  const { table, relation } = staged;
  const keys = table.primaryKey.map(quoted);
  const own = table.columns.map((c) => quoted(c.name));
  const among = keys.map((k) => `e.${k} = t.${k}`).join(" AND ");
  // A row that was gone has been so for a while, however the clock went.
  const free = `max(CASE WHEN t.${DELETED} IS NULL THEN t.${TO} ELSE t.${TO} + ${TICK} END)`;
  const before = [
    `SELECT ${keys.map((k) => `t.${k}`).join(", ")}, ${free} AS ${EARLIEST} FROM ${into} AS t`,
    `WHERE EXISTS (SELECT 1 FROM ${relation} AS e WHERE ${among}) GROUP BY ${keys.map((k) => `t.${k}`).join(", ")}`,
  ].join(" ");
  const at = observed(staged);
  return [
    `INSERT INTO ${into} (${[...own, ID, EXTRACTED, DIGEST, FROM].join(", ")})`,
    `SELECT ${[...own.map((c) => `s.${c}`), literal(loadId), `s.${EXTRACTED}`, `s.${DIGEST}`].join(", ")},`,
    `greatest(${at}, coalesce(${FOUND}.${EARLIEST}, ${at}))`,
    `FROM ${relation} AS s LEFT JOIN (${before}) AS ${FOUND} ON ${keys.map((k) => `${FOUND}.${k} = s.${k}`).join(" AND ")}`,
  ].join(" ");
}
