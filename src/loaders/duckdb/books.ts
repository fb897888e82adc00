import { stringify, type Json } from "../../core/json.js";
import { MODES, recorded, type Books } from "../books.js";
import type { LoadedTable, LoadRecord, StateMove } from "../dialect.js";
import { literal } from "./names.js";

/** The loader's own tables: name, comment, columns. */
const BOOKKEEPING: readonly (readonly [name: string, comment: string, columns: string])[] = [
  [
    "_kb4_state",
    "How far each stream has been read. Written in the transaction that wrote the rows.",
    "pipeline VARCHAR NOT NULL, stream VARCHAR NOT NULL, version BIGINT NOT NULL, state JSON, load_id VARCHAR NOT NULL, updated_at TIMESTAMP WITH TIME ZONE NOT NULL",
  ],
  [
    "_kb4_loads",
    "One row per load and table. A load that is not here was not committed.",
    "load_id VARCHAR NOT NULL, run_id VARCHAR NOT NULL, pipeline VARCHAR NOT NULL, stream VARCHAR NOT NULL, mode VARCHAR NOT NULL, rows_staged BIGINT NOT NULL, rows_written BIGINT NOT NULL, rows_rejected BIGINT NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL, committed_at TIMESTAMP WITH TIME ZONE NOT NULL, tool_version VARCHAR NOT NULL, proof JSON",
  ],
  [
    "_kb4_rejects",
    "Rows that do not fit their stream, as they came, and why. May hold personal data.",
    "load_id VARCHAR NOT NULL, stream VARCHAR NOT NULL, reason VARCHAR NOT NULL, raw JSON, seen_at TIMESTAMP WITH TIME ZONE NOT NULL",
  ],
];

/** Statements about the loader's own tables in a schema. Both names are ready for SQL. */
export function books(place: string, named: (table: string) => string): Books {
  return {
    bookkeeping: () => [
      { purpose: "making the schema", sql: `CREATE SCHEMA IF NOT EXISTS ${place}` },
      ...BOOKKEEPING.flatMap(([name, comment, columns]) => [
        {
          purpose: `making ${name}`,
          sql: `CREATE TABLE IF NOT EXISTS ${named(name)} (${columns})`,
        },
        {
          purpose: `describing ${name}`,
          sql: `COMMENT ON TABLE ${named(name)} IS ${literal(comment)}`,
        },
      ]),
      {
        purpose: "adding _kb4_loads.proof",
        sql: `ALTER TABLE ${named("_kb4_loads")} ADD COLUMN IF NOT EXISTS proof JSON`,
      },
    ],

    appendRejects: (relation, loadId) => ({
      purpose: "writing rejected rows",
      sql: `INSERT INTO ${named("_kb4_rejects")} SELECT ${literal(loadId)}, stream, reason, raw, seen_at FROM ${relation}`,
    }),

    readState: (pipeline) =>
      `SELECT stream, version, state FROM ${named("_kb4_state")} WHERE pipeline = ${literal(pipeline)} ORDER BY stream`,

    readProofs: (pipeline) =>
      `SELECT stream, proof FROM ${named("_kb4_loads")} WHERE pipeline = ${literal(pipeline)} AND proof IS NOT NULL QUALIFY row_number() OVER (PARTITION BY stream ORDER BY committed_at DESC) = 1 ORDER BY stream`,

    pipelines: () => `SELECT DISTINCT pipeline FROM ${named("_kb4_state")} ORDER BY pipeline`,

    appended: () =>
      `SELECT stream FROM ${named("_kb4_loads")} WHERE mode IN ${MODES} GROUP BY stream HAVING max(CASE WHEN mode = 'append' THEN committed_at END) = max(committed_at) ORDER BY stream`,

    moveState: ({ pipeline, loadId, from, checkpoints, at }: StateMove) => {
      const state = named("_kb4_state");
      const [who, load, when] = [literal(pipeline), literal(loadId), literal(at)];
      const to = String(from + 1);
      const fence =
        from === 0
          ? `INSERT INTO ${state} SELECT ${who}, '', ${to}, NULL, ${load}, ${when} WHERE NOT EXISTS (SELECT 1 FROM ${state} WHERE pipeline = ${who} AND stream = '')`
          : `UPDATE ${state} SET version = ${to}, load_id = ${load}, updated_at = ${when} WHERE pipeline = ${who} AND stream = '' AND version = ${String(from)}`;
      return [
        { purpose: "moving the state", sql: fence, isFence: true },
        ...checkpoints.flatMap(({ stream, bookmark }) => [
          {
            purpose: `taking out the old bookmark of ${stream}`,
            sql: `DELETE FROM ${state} WHERE pipeline = ${who} AND stream = ${literal(stream)}`,
          },
          {
            purpose: `writing the bookmark of ${stream}`,
            sql: `INSERT INTO ${state} VALUES (${who}, ${literal(stream)}, ${to}, ${literal(stringify(bookmark as unknown as Json))}, ${load}, ${when})`,
          },
        ]),
      ];
    },

    findLoad: (loadId) =>
      `SELECT 1 AS found FROM ${named("_kb4_loads")} WHERE load_id = ${literal(loadId)} LIMIT 1`,

    recordLoad: (record: LoadRecord, tables: readonly LoadedTable[]) => {
      const { loadId, runId, pipeline, startedAt, committedAt, toolVersion } = record;
      return recorded(tables).map(({ stream, mode, staged, rejected, proof, relation }) => {
        const written = relation === null ? "0" : `(SELECT count(*) FROM ${relation})`;
        const values = [
          ...[loadId, runId, pipeline, stream, mode].map(literal),
          ...[String(staged), written, String(rejected)],
          ...[startedAt, committedAt, toolVersion].map(literal),
          proof === null ? "NULL" : literal(proof),
        ];
        return {
          purpose: "recording the load",
          sql: `INSERT INTO ${named("_kb4_loads")} VALUES (${values.join(", ")})`,
        };
      });
    },
  };
}
