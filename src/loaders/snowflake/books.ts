import { stringify, type Json } from "../../core/json.js";
import { MODES, recorded, type Books } from "../books.js";
import type { LoadedTable, LoadRecord, StateMove, Statement } from "../dialect.js";
import { instant, literal } from "./names.js";

/** The loader's own tables: name, comment, columns. */
const BOOKKEEPING: readonly (readonly [name: string, comment: string, columns: string])[] = [
  [
    "_kb4_state",
    "How far each stream has been read. Written in the transaction that wrote the rows.",
    '"PIPELINE" VARCHAR NOT NULL, "STREAM" VARCHAR NOT NULL, "VERSION" NUMBER(38,0) NOT NULL, "STATE" VARIANT, "LOAD_ID" VARCHAR NOT NULL, "UPDATED_AT" TIMESTAMP_TZ NOT NULL',
  ],
  [
    "_kb4_loads",
    "One row per load and table. A load that is not here was not committed.",
    '"LOAD_ID" VARCHAR NOT NULL, "RUN_ID" VARCHAR NOT NULL, "PIPELINE" VARCHAR NOT NULL, "STREAM" VARCHAR NOT NULL, "MODE" VARCHAR NOT NULL, "ROWS_STAGED" NUMBER(38,0) NOT NULL, "ROWS_WRITTEN" NUMBER(38,0) NOT NULL, "ROWS_REJECTED" NUMBER(38,0) NOT NULL, "STARTED_AT" TIMESTAMP_TZ NOT NULL, "COMMITTED_AT" TIMESTAMP_TZ NOT NULL, "TOOL_VERSION" VARCHAR NOT NULL, "PROOF" VARIANT',
  ],
  [
    "_kb4_rejects",
    "Rows that do not fit their stream, as they came, and why. May hold personal data.",
    '"LOAD_ID" VARCHAR NOT NULL, "STREAM" VARCHAR NOT NULL, "REASON" VARCHAR NOT NULL, "RAW" VARIANT, "SEEN_AT" TIMESTAMP_TZ NOT NULL',
  ],
];

/** A default of the account that ignores case would take two keys for one. */
export const NO_COLLATION = "DEFAULT_DDL_COLLATION = ''";

/**
 * SQL of the loader's own tables.
 *
 * @param named a table's name in full.
 * @param place the schema's.
 */
export function booksIn(named: (table: string) => string, place: string): Books {
  const state = named("_kb4_state");
  return {
    bookkeeping: () => [
      {
        purpose: "making the schema",
        sql: `CREATE SCHEMA IF NOT EXISTS ${place}`,
        // Whoever may use the schema need not be able to make one.
        mayBeDenied: true,
      },
      ...BOOKKEEPING.map(([name, comment, columns]) => ({
        purpose: `making ${name}`,
        sql: `CREATE TABLE IF NOT EXISTS ${named(name)} (${columns}) ${NO_COLLATION} COMMENT = ${literal(comment)}`,
      })),
    ],

    appendRejects: (relation, loadId) => ({
      purpose: "writing rejected rows",
      sql: `INSERT INTO ${named("_kb4_rejects")} ("LOAD_ID", "STREAM", "REASON", "RAW", "SEEN_AT") SELECT ${literal(loadId)}, "STREAM", "REASON", STRIP_NULL_VALUE("RAW"), "SEEN_AT" FROM ${relation}`,
    }),

    readState: (pipeline) =>
      `SELECT "STREAM" AS "stream", "VERSION" AS "version", TO_JSON("STATE") AS "state" FROM ${state} WHERE "PIPELINE" = ${literal(pipeline)} ORDER BY "STREAM"`,

    readProofs: (pipeline) =>
      `SELECT "STREAM" AS "stream", TO_JSON("PROOF") AS "proof" FROM ${named("_kb4_loads")} WHERE "PIPELINE" = ${literal(pipeline)} AND "PROOF" IS NOT NULL QUALIFY ROW_NUMBER() OVER (PARTITION BY "STREAM" ORDER BY "COMMITTED_AT" DESC) = 1 ORDER BY "STREAM"`,

    pipelines: () => `SELECT DISTINCT "PIPELINE" AS "pipeline" FROM ${state} ORDER BY "PIPELINE"`,

    appended: () =>
      `SELECT "STREAM" AS "stream" FROM ${named("_kb4_loads")} WHERE "MODE" IN ${MODES} GROUP BY "STREAM" HAVING MAX(CASE WHEN "MODE" = 'append' THEN "COMMITTED_AT" END) = MAX("COMMITTED_AT") ORDER BY "STREAM"`,

    moveState: ({ pipeline, loadId, from, checkpoints, at }: StateMove) => {
      const [who, to] = [literal(pipeline), String(from + 1)];
      const marks = `"VERSION" = ${to}, "LOAD_ID" = ${literal(loadId)}, "UPDATED_AT" = ${instant(at)}`;
      const mine = `UPDATE ${state} SET ${marks} WHERE "PIPELINE" = ${who} AND "STREAM" = '' AND "VERSION" =`;
      const columns = '("PIPELINE", "STREAM", "VERSION", "STATE", "LOAD_ID", "UPDATED_AT")';
      const rest = `${to}, s."STATE", ${literal(loadId)}, ${instant(at)}`;
      const fence = (sql: string): Statement => ({
        purpose: "moving the state",
        sql,
        isFence: true,
      });
      const marked = checkpoints.map(
        ({ stream, bookmark }) =>
          `SELECT ${literal(stream)} AS "STREAM", PARSE_JSON(${literal(stringify(bookmark as unknown as Json))}) AS "STATE"`,
      );
      return [
        ...(from === 0
          ? [
              fence(
                `MERGE INTO ${state} AS t USING (SELECT '' AS "STREAM", PARSE_JSON(NULL) AS "STATE") AS s ON t."PIPELINE" = ${who} AND t."STREAM" = s."STREAM" WHEN NOT MATCHED THEN INSERT ${columns} VALUES (${who}, s."STREAM", ${rest})`,
              ),
              // Two first runs might both have found nothing; now one of them holds the table, and
              // the other finds two rows.
              fence(`${mine} ${to}`),
            ]
          : [fence(`${mine} ${String(from)}`)]),
        ...(marked.length === 0
          ? []
          : [
              {
                purpose: "writing the bookmarks",
                sql: [
                  `MERGE INTO ${state} AS t USING (${marked.join(" UNION ALL ")}) AS s`,
                  `ON t."PIPELINE" = ${who} AND t."STREAM" = s."STREAM"`,
                  `WHEN MATCHED THEN UPDATE SET "VERSION" = ${to}, "STATE" = s."STATE", "LOAD_ID" = ${literal(loadId)}, "UPDATED_AT" = ${instant(at)}`,
                  `WHEN NOT MATCHED THEN INSERT ${columns} VALUES (${who}, s."STREAM", ${rest})`,
                ].join(" "),
              },
            ]),
      ];
    },

    findLoad: (loadId) =>
      `SELECT 1 AS "found" FROM ${named("_kb4_loads")} WHERE "LOAD_ID" = ${literal(loadId)} LIMIT 1`,

    recordLoad: (record: LoadRecord, tables: readonly LoadedTable[]) => {
      const { loadId, runId, pipeline, startedAt, committedAt, toolVersion } = record;
      const rows = recorded(tables).map((table) => {
        const { stream, mode, staged: count, rejected, proof, relation } = table;
        // Staged rows that were there already are not among them.
        const written =
          relation === null
            ? "0"
            : `(SELECT COUNT(*) FROM ${named(stream)} WHERE "_KB4_LOAD_ID" = ${literal(loadId)})`;
        const values = [
          ...[loadId, runId, pipeline, stream, mode].map(literal),
          ...[String(count), written, String(rejected)],
          ...[instant(startedAt), instant(committedAt), literal(toolVersion)],
          proof === null ? "PARSE_JSON(NULL)" : `PARSE_JSON(${literal(proof)})`,
        ];
        return `SELECT ${values.join(", ")}`;
      });
      return [
        {
          purpose: "recording the load",
          sql: `INSERT INTO ${named("_kb4_loads")} ("LOAD_ID", "RUN_ID", "PIPELINE", "STREAM", "MODE", "ROWS_STAGED", "ROWS_WRITTEN", "ROWS_REJECTED", "STARTED_AT", "COMMITTED_AT", "TOOL_VERSION", "PROOF") ${rows.join(" UNION ALL ")}`,
        },
      ];
    },
  };
}
