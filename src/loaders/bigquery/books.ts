import type { Json } from "../../core/json.js";
import { MODES, recorded, type Books } from "../books.js";
import type { LoadedTable, LoadRecord, StateMove } from "../dialect.js";
import { META } from "../table.js";
import { instant, json, LABELS, literal, parsing, quoted } from "./sql.js";

/** The loader's own tables: name, description, columns. */
const BOOKKEEPING: readonly (readonly [name: string, description: string, columns: string])[] = [
  [
    "_kb4_state",
    "How far each stream has been read. Written in the transaction that wrote the rows.",
    "pipeline STRING NOT NULL, stream STRING NOT NULL, version INT64 NOT NULL, state JSON, load_id STRING NOT NULL, updated_at TIMESTAMP NOT NULL",
  ],
  [
    "_kb4_loads",
    "One row per load and table. A load that is not here was not committed.",
    "load_id STRING NOT NULL, run_id STRING NOT NULL, pipeline STRING NOT NULL, stream STRING NOT NULL, mode STRING NOT NULL, rows_staged INT64 NOT NULL, rows_written INT64 NOT NULL, rows_rejected INT64 NOT NULL, started_at TIMESTAMP NOT NULL, committed_at TIMESTAMP NOT NULL, tool_version STRING NOT NULL, proof JSON",
  ],
  [
    "_kb4_rejects",
    "Rows that do not fit their stream, as they came, and why. May hold personal data.",
    "load_id STRING NOT NULL, stream STRING NOT NULL, reason STRING NOT NULL, raw JSON, seen_at TIMESTAMP NOT NULL",
  ],
];

/** Statements about the loader's own tables. @param named a table's name, ready for SQL. */
export function books(named: (table: string) => string): Books {
  return {
    bookkeeping: () =>
      BOOKKEEPING.map(([name, description, columns]) => ({
        purpose: `making ${name}`,
        sql: `CREATE TABLE IF NOT EXISTS ${named(name)} (${columns}) OPTIONS(description = ${literal(description)}, ${LABELS})`,
      })),

    appendRejects: (relation, loadId) => ({
      purpose: "writing rejected rows",
      sql: `INSERT INTO ${named("_kb4_rejects")} (load_id, stream, reason, raw, seen_at) SELECT ${literal(loadId)}, s.stream, s.reason, ${parsing("s.raw")}, s.seen_at FROM ${relation} AS s`,
    }),

    readState: (pipeline) =>
      `SELECT stream, version, TO_JSON_STRING(state) AS state FROM ${named("_kb4_state")} WHERE pipeline = ${literal(pipeline)} ORDER BY stream`,

    readProofs: (pipeline) =>
      `SELECT stream, TO_JSON_STRING(proof) AS proof FROM ${named("_kb4_loads")} WHERE pipeline = ${literal(pipeline)} AND proof IS NOT NULL QUALIFY ROW_NUMBER() OVER (PARTITION BY stream ORDER BY committed_at DESC) = 1 ORDER BY stream`,

    pipelines: () => `SELECT DISTINCT pipeline FROM ${named("_kb4_state")} ORDER BY pipeline`,

    appended: () =>
      `SELECT stream FROM ${named("_kb4_loads")} WHERE mode IN ${MODES} GROUP BY stream HAVING MAX(CASE WHEN mode = 'append' THEN committed_at END) = MAX(committed_at) ORDER BY stream`,

    moveState: ({ pipeline, loadId, from, checkpoints, at }: StateMove) => {
      const state = named("_kb4_state");
      const [who, load, when] = [literal(pipeline), literal(loadId), instant(at)];
      const to = String(from + 1);
      const columns = "(pipeline, stream, version, state, load_id, updated_at)";
      const mine = (version: string) =>
        `UPDATE ${state} SET version = ${to}, load_id = ${load}, updated_at = ${when} WHERE pipeline = ${who} AND stream = '' AND version = ${version}`;
      const fences =
        from === 0
          ? [
              `MERGE INTO ${state} AS t USING (SELECT ${who} AS pipeline) AS s ON t.pipeline = s.pipeline AND t.stream = '' WHEN NOT MATCHED THEN INSERT ${columns} VALUES (s.pipeline, '', ${to}, NULL, ${load}, ${when})`,
              // Two first runs may both have found nothing. Rows that are only added are no conflict
              // to BigQuery; an update is, and ends one of the two.
              mine(to),
            ]
          : [mine(String(from))];
      const rows = checkpoints.map(
        ({ stream, bookmark }) =>
          `(${who}, ${literal(stream)}, ${to}, ${json(bookmark as unknown as Json)}, ${load}, ${when})`,
      );
      const streams = checkpoints.map((c) => literal(c.stream)).join(", ");
      return [
        ...fences.map((sql) => ({ purpose: "moving the state", sql, isFence: true as const })),
        ...(rows.length === 0
          ? []
          : [
              {
                purpose: "taking out the old bookmarks",
                sql: `DELETE FROM ${state} WHERE pipeline = ${who} AND stream IN (${streams})`,
              },
              {
                purpose: "writing the bookmarks",
                sql: `INSERT INTO ${state} ${columns} VALUES ${rows.join(", ")}`,
              },
            ]),
      ];
    },

    findLoad: (loadId) =>
      `SELECT 1 AS found FROM ${named("_kb4_loads")} WHERE load_id = ${literal(loadId)} LIMIT 1`,

    recordLoad: (record: LoadRecord, tables: readonly LoadedTable[]) => {
      const { loadId, runId, pipeline, startedAt, committedAt, toolVersion } = record;
      const rows = recorded(tables).map(({ stream, mode, staged, rejected, proof, relation }) => {
        const written =
          relation === null
            ? "0"
            : `(SELECT COUNT(*) FROM ${named(stream)} WHERE ${quoted(META[0].name)} = ${literal(loadId)})`;
        return `SELECT ${[
          ...[loadId, runId, pipeline, stream, mode].map(literal),
          ...[String(staged), written, String(rejected)],
          ...[startedAt, committedAt].map(instant),
          literal(toolVersion),
          proof === null ? "NULL" : `PARSE_JSON(${literal(proof)})`,
        ].join(", ")}`;
      });
      return [
        {
          purpose: "recording the load",
          sql: `INSERT INTO ${named("_kb4_loads")} (load_id, run_id, pipeline, stream, mode, rows_staged, rows_written, rows_rejected, started_at, committed_at, tool_version, proof) ${rows.join(" UNION ALL ")}`,
        },
      ];
    },
  };
}
