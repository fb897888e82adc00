import type { SyncEvent } from "../core/events.js";

/** What happened to one stream so far. */
export interface StreamTally {
  readonly stream: string;
  status: "waiting" | "reading" | "complete" | "partial" | "failed" | "skipped";
  rows: number;
  rejected: number;
  /** Requests sent, retries included. */
  requests: number;
  /** Requests that the plan had for it. */
  planned: number;
  retries: number;
  startedMs: number;
  /** Time spent, in milliseconds, once it is over. */
  tookMs: number;
}

/** Counts a run's events for the live view, the closing table and the metrics. */
export class Tally {
  readonly streams = new Map<string, StreamTally>();
  committedRows = 0;
  readonly #now: () => number;

  /** @param now monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(event: SyncEvent): void {
    if (event.type === "committed") this.committedRows += event.rows;
    if (event.type === "waiting" || event.type === "committed") return;
    const name = event.type === "stream_finished" ? event.outcome.stream : event.stream;
    if (name === null) return;
    const stream = this.#of(name);
    if (event.type === "stream_started") {
      stream.status = "reading";
      stream.startedMs = this.#now();
    } else if (event.type === "planned") {
      stream.planned = event.requests;
    } else if (event.type === "page") {
      stream.rows += event.rows;
    } else if (event.type === "request") {
      stream.requests += 1;
      if (event.attempt > 1) stream.retries += 1;
    } else if (event.type === "stream_finished") {
      stream.status = event.outcome.status;
      stream.rows = event.outcome.rows;
      stream.rejected = event.outcome.rejected;
      stream.tookMs = stream.startedMs === 0 ? 0 : this.#now() - stream.startedMs;
    }
  }

  /** Sums over all streams. */
  total(): Pick<StreamTally, "rows" | "planned" | "requests" | "retries" | "rejected"> {
    const sum = { rows: 0, planned: 0, requests: 0, retries: 0, rejected: 0 };
    for (const stream of this.streams.values()) {
      sum.rows += stream.rows;
      sum.planned += stream.planned;
      sum.requests += stream.requests;
      sum.retries += stream.retries;
      sum.rejected += stream.rejected;
    }
    return sum;
  }

  #of(stream: string): StreamTally {
    let tally = this.streams.get(stream);
    if (tally === undefined) {
      const zero = { rows: 0, rejected: 0, retries: 0, startedMs: 0, tookMs: 0 };
      tally = { stream, status: "waiting", requests: 0, planned: 0, ...zero };
      this.streams.set(stream, tally);
    }
    return tally;
  }
}
