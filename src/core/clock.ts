/** The only way to time: passed in, so that tests decide what time it is and nothing really waits. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May step back when somebody sets the machine's clock. */
  now(): number;
  /** Milliseconds from an arbitrary start; never steps back. For durations and rate windows. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` after `ms` unless the returned function is called before. For watchdogs. */
  after(ms: number, run: () => void): () => void;
}

/** An instant as it stands in rows, batches and state: ISO 8601, UTC, milliseconds. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The day of an instant: `YYYY-MM-DD`, UTC. */
export function isoDay(ms: number): string {
  return iso(ms).slice(0, 10);
}

/** One day, in milliseconds. */
export const DAY_MS = 86_400_000;

/**
 * True if `at` lies less than `days` before `now`, both ISO 8601. An instant days ahead of the clock
 * was written while the clock was wrong, and is not recent.
 */
export function isRecent(at: string, days: number, now: string): boolean {
  return Math.abs(Date.parse(now) - Date.parse(at)) < days * DAY_MS;
}
