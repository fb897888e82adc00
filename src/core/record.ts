import type { Json } from "./json.js";
import type { Checkpoint } from "./state.js";

export type { Checkpoint } from "./state.js";

/**
 * One row of a stream, keyed by the stream's field names.
 *
 * Every selected field is present: a field the API left out is `null`, never missing, so all rows
 * of a stream have the same keys in the same order. Instants are ISO 8601 in UTC with milliseconds
 * and a trailing `Z`; days are `YYYY-MM-DD`. `_observed_at` is not in it: it is the same for a
 * whole run and stands in the batch; a sink writes it into each row.
 */
export type Row = Readonly<Record<string, Json>>;

/** A row that does not fit its stream, and why. Kept apart from the rows, never dropped. */
export interface Reject {
  /** Names the field and the rule, not the value: it may be a person's. */
  readonly reason: string;
  /** The row as the API gave it. Only a destination's reject table may hold it. */
  readonly raw: Json;
}

/**
 * Part of a stream that was read to its end without a rejected row: of its rows in a destination,
 * those that did not come are not at the source any more.
 *
 * All its rows came after the stream's previous checkpoint, so a sink that commits at checkpoints has
 * them together. Values are as they stand in rows.
 *
 * - `whole` every row of the stream
 * - `part`  rows with this value in a column: one group, one test, one campaign
 * - `rest`  rows with another value than these: what stood below parents that are not listed any more
 */
export type Scope =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly column: string; readonly value: Json }
  | { readonly kind: "rest"; readonly column: string; readonly listed: readonly Json[] };

/**
 * The unit that moves from extraction to a sink: rows of one stream, in the order the API gave them.
 *
 * At most one page of the API, or one part of a body too large for memory.
 */
export interface RecordBatch {
  readonly stream: string;
  readonly rows: readonly Row[];
  readonly rejects: readonly Reject[];
  /** When the page of the first row arrived: ISO 8601, UTC, milliseconds. */
  readonly extractedAt: string;
  /** Start of the run, ISO 8601 UTC, equal for every batch of a run; null for rows of other taps. */
  readonly observedAt: string | null;
  /** Where a later run may resume once this batch is durable; `null` when stopping here is not safe. */
  readonly checkpoint: Checkpoint | null;
  /** What was read completely since the checkpoint before; only beside a checkpoint. */
  readonly scopes?: readonly Scope[];
}
