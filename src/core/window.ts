import { DAY_MS, iso } from "./clock.js";
import type { Spent } from "./state.js";

/** Requests are remembered by the quarter of an hour: ninety-seven of them hold 24 hours. */
const QUARTER_MS = 900_000;

/** Keys that quarters take in turn: a state stays as small as that, however it is merged. */
const KEYS = 100;

/** The quarters of the last 24 hours, for the state. @param instants ms since 1970, in any order. */
export function quartersOf(
  instants: Iterable<number>,
  nowMs: number,
): Readonly<Record<string, Spent>> {
  const counts = new Map<number, number>();
  for (const at of instants) {
    if (at <= nowMs - DAY_MS) continue;
    const quarter = Math.floor(at / QUARTER_MS);
    counts.set(quarter, (counts.get(quarter) ?? 0) + 1);
  }
  return Object.fromEntries(
    [...counts].map(([quarter, requests]) => [
      String(quarter % KEYS),
      { at: iso(quarter * QUARTER_MS), requests },
    ]),
  );
}

/** Requests of earlier runs, as far as they still count. */
export interface Earlier {
  /** Milliseconds since 1970, oldest first, none of them after now. */
  readonly instants: readonly number[];
  /** The latest instant if it lies ahead of the clock, ISO 8601 UTC: somebody set the clock back. */
  readonly ahead: string | null;
}

/**
 * What a state says of the last 24 hours. A request counts from the end of its quarter, so never
 * for too short a time; one that lies ahead of the clock counts from now.
 */
export function instantsOf(spent: Readonly<Record<string, Spent>>, nowMs: number): Earlier {
  const instants: number[] = [];
  let ahead: string | null = null;
  for (const { at, requests } of Object.values(spent)) {
    const from = Date.parse(at);
    if (from > nowMs && (ahead === null || at > ahead)) ahead = at;
    // The last of its quarter: written into the next state, it must not slide into the next one.
    const counted = Math.min(from + QUARTER_MS - 1, nowMs);
    if (counted <= nowMs - DAY_MS) continue;
    for (let i = 0; i < requests; i++) instants.push(counted);
  }
  return { instants: instants.sort((a, b) => a - b), ahead };
}

/** Two memories of the same window: of each key the later quarter, of one quarter the larger count. */
export function mergedQuarters(
  a: Readonly<Record<string, Spent>>,
  b: Readonly<Record<string, Spent>>,
): Readonly<Record<string, Spent>> {
  const merged = new Map(Object.entries(a));
  for (const [key, spent] of Object.entries(b)) {
    const before = merged.get(key);
    const isNewer =
      before === undefined ||
      spent.at > before.at ||
      (spent.at === before.at && spent.requests > before.requests);
    if (isNewer) merged.set(key, spent);
  }
  return Object.fromEntries(merged);
}

/** The end of the quarter that an instant lies in, ms. */
export function quarterAfter(ms: number): number {
  return Math.ceil(ms / QUARTER_MS) * QUARTER_MS;
}

/** The latest quarter in which something was asked, ISO 8601 UTC; "" if nothing was. */
export function lastQuarter(spent: Readonly<Record<string, Spent>> = {}): string {
  return Object.values(spent).reduce((last, { at }) => (at > last ? at : last), "");
}
