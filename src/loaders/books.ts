import type { Dialect, LoadedTable } from "./dialect.js";

/** Modes of `_kb4_loads` that say how rows went into a table. */
export const MODES = "('merge', 'append', 'replace', 'history')";

/** What a dialect says of the loader's own tables. */
export type Books = Pick<
  Dialect,
  | "bookkeeping"
  | "appendRejects"
  | "readState"
  | "readProofs"
  | "pipelines"
  | "appended"
  | "moveState"
  | "findLoad"
  | "recordLoad"
>;

/** What is recorded of a load: its tables, or that it moved nothing but the state. */
export function recorded(tables: readonly LoadedTable[]): readonly LoadedTable[] {
  if (tables.length > 0) return tables;
  return [{ stream: "", mode: "state", staged: 0, rejected: 0, proof: null, relation: null }];
}
