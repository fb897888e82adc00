/** The loader's own tables: name, comment, columns. */
export const BOOKKEEPING: readonly (readonly [name: string, comment: string, columns: string])[] = [
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
