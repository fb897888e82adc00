/** The loader's own tables: name, description, columns. */
export const BOOKKEEPING: readonly (readonly [
  name: string,
  description: string,
  columns: string,
])[] = [
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
