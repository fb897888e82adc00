import type { ConnectorError } from "./errors.js";
import type { Proof } from "./proof.js";

/** How one stream ended. A run's exit code is the worst over its streams. */
export interface StreamOutcome {
  readonly stream: string;
  /** `partial`: read to the end, but some rows were rejected. `skipped`: a parent failed, or the run stopped. */
  readonly status: "complete" | "partial" | "failed" | "skipped";
  readonly rows: number;
  readonly rejected: number;
  /** What shows that nothing is missing; absent if nothing was read. */
  readonly proof?: Proof;
  readonly error?: ConnectorError;
}

/**
 * Everything a run tells the outside world, as data. The CLI renders it as text on stderr, an
 * Airbyte adapter would as LOG and TRACE messages, tests assert on it. Nothing in `core` prints.
 */
export type SyncEvent =
  | { readonly type: "stream_started"; readonly stream: string }
  | EstimateEvent
  | PlannedEvent
  | { readonly type: "page"; readonly stream: string; readonly rows: number }
  | RequestEvent
  | { readonly type: "waiting"; readonly reason: string; readonly waitMs: number }
  | { readonly type: "checkpoint"; readonly stream: string }
  | { readonly type: "committed"; readonly rows: number }
  | WarningEvent
  | { readonly type: "stream_finished"; readonly outcome: StreamOutcome };

/** One attempt at a request, however it ended. `status` is null if no answer came. */
export interface RequestEvent {
  readonly type: "request";
  readonly stream: string;
  /** Path with parameters in place of ids: `/v1/groups/{group_id}/members`. */
  readonly endpoint: string;
  readonly status: number | null;
  readonly attempt: number;
  readonly ms: number;
}

/** How many rows a stream will hand on in this run, where that is known before they are read. */
export interface EstimateEvent {
  readonly type: "estimate";
  readonly stream: string;
  readonly rows: number;
}

/** What a stream is expected to take, said before it is read. */
export interface PlannedEvent {
  readonly type: "planned";
  readonly stream: string;
  readonly requests: number;
}

/** Something a person should know that is not a failure. One line, no secret, no person's data. */
export interface WarningEvent {
  readonly type: "warning";
  readonly stream: string | null;
  readonly message: string;
}

/** Takes events. Must not throw. */
export type Emit = (event: SyncEvent) => void;
