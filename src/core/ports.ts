import type { Column } from "./columns.js";
import type { ConnectorError } from "./errors.js";
import type { StreamOutcome } from "./events.js";
import type { ListingEnd } from "./proof.js";
import type { Checkpoint, RecordBatch } from "./record.js";
import type { SourceMemory, State } from "./state.js";
import type { ListingKind } from "./stream.js";

/** One page of an API listing, decoded from JSON but not yet validated. */
export interface Page {
  readonly items: readonly unknown[];
  /** ISO 8601 UTC, milliseconds. */
  readonly receivedAt: string;
}

/** A listing to read: everything the page source needs to know, nothing about rows. */
export interface Listing {
  /** For messages and metrics. */
  readonly stream: string;
  /** Path with `{param}`, for metrics and messages: ids in a path may stand for people. */
  readonly endpoint: string;
  /** Path with the parameters filled in. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly kind: ListingKind;
  /** What identifies an item within this listing; tells a repeated page from a new one. */
  readonly itemKey: (item: unknown) => string;
  /** Told once it was read to its end: what came, and why it is over. */
  readonly told?: (end: ListingEnd) => void;
}

/**
 * Reads listings. Implemented by `api/` for the real API and by a fake in tests.
 *
 * The caller pulls: the next page is not requested before this one has been consumed, so at most
 * one page is in memory. A body too large for memory arrives as several pages. Where a listing
 * ends is decided in `api/paging.ts`, nowhere else.
 *
 * @throws ConnectorError `auth` (401, or 200 with an error body), `forbidden` (403), `not_found`
 *   as `api_contract` with `context.status` 404, `quota`, `unavailable` (after the last retry),
 *   `api_contract` (the body is not a list, a page or cursor repeats), `cancelled`.
 */
export interface PageSource {
  pages(listing: Listing, signal: AbortSignal): AsyncIterable<Page>;
  /** What was learned about the API in this run and is worth keeping: goes into the state. */
  readonly memory: SourceMemory;
}

export type { SourceMemory } from "./state.js";

/** A stream as a sink sees it: the selected columns, without the API. */
export interface SinkStream {
  readonly name: string;
  readonly description: string;
  /** In the order of the row's keys; `_observed_at`, if there is one, comes last. */
  readonly columns: readonly Column[];
  /** Empty only for rows of other taps. */
  readonly primaryKey: readonly string[];
  /** Replication key, if the stream is incremental. */
  readonly cursor: string | null;
  /** Column that scopes of parts name, if the stream has parts; it may have been deselected. */
  readonly part?: string | null;
  /** Column by whose months rows may be kept apart; it may have been deselected. */
  readonly partition?: string;
  /** True if this run hands over the whole stream, so that a destination may replace its table. */
  readonly whole: boolean;
}

/** What a sink must know about the run before the first stream. */
export interface RunInfo {
  readonly runId: string;
  /** ISO 8601 UTC, milliseconds. */
  readonly startedAt: string;
  /** State the run starts from. */
  readonly state: State;
}

/**
 * Where rows go: a protocol writer on stdout or a warehouse loader. One contract for both, checked
 * by `test/conformance/` against every implementation.
 *
 * 1. `open` is called once, first; `declare` once per stream before its first batch, and again
 *    if its columns change.
 * 2. Batches of one stream arrive in order. A sink may buffer them but never reorders them.
 * 3. A checkpoint is returned only when its batch, and every earlier batch of that stream, would
 *    survive the process being killed. For stdout: the callback of its last line's write has run.
 * 4. Writing the same batch twice leaves the same rows (loaders merge on the primary key).
 * 5. `end` says how a stream ended; what came after its last checkpoint must not become durable
 *    as if the stream were complete.
 * 6. After a throw, only disposal may follow; disposal never makes anything durable.
 *
 * @throws ConnectorError `destination`, naming the table and the statement's purpose; `locked`;
 *   `cancelled`.
 */
export interface Sink extends AsyncDisposable {
  readonly name: string;
  /**
   * What it would not believe of what the source said, in its last calls too: `context.stream` names
   * the stream, which has failed thereby. Its rows are in, its checkpoints were not returned.
   */
  readonly refusals?: readonly ConnectorError[];
  open(run: RunInfo, signal: AbortSignal): Promise<void>;
  declare(stream: SinkStream): Promise<void>;
  /** Takes a batch; returns the checkpoints that became durable during this call, oldest first. */
  write(batch: RecordBatch): Promise<readonly Checkpoint[]>;
  /** The stream gets no more batches in this run. */
  end(outcome: StreamOutcome): Promise<readonly Checkpoint[]>;
  /** Makes everything taken so far durable; returns the checkpoints that became so. */
  flush(): Promise<readonly Checkpoint[]>;
}
