import { isRecent } from "./clock.js";
import type { Parent } from "./collect.js";
import type { SourceMemory, Bookmark, Part } from "./state.js";
import type { StreamDef } from "./stream.js";
import { requestsByPage } from "./windows.js";

/** What reading a stream is expected to take. */
export interface Forecast {
  readonly requests: number;
  readonly rows: number;
}

/** What is known before a stream is read. */
export interface Known {
  readonly pageSize: number;
  readonly paging: SourceMemory["paging"];
  /** Seats of the account; null if it does not say. */
  readonly seats: number | null;
  /** What earlier runs left, by stream: how many rows there were. */
  readonly bookmarks: Readonly<Record<string, Bookmark>>;
  /** Parents of the stream, if they have been listed. */
  readonly parents?: readonly Parent[];
  /** How many slices the stream has, if they have been listed. */
  readonly slices?: number;
  readonly reverifyDays: number;
  readonly lookbackDays: number;
  /** ISO 8601 UTC. */
  readonly now: string;
}

/** Whether everything is read, or what a later run reads. */
export type Reading = "first" | "next";

/** Seats of an account that does not say, for which there is nothing better to go by. */
const SEATS = 100;

/**
 * Requests that a listing of so many rows takes. By page number, pages overlap and the end is an
 * empty one. Where nobody has asked the server yet how it pages, it is half way between the two.
 */
export function pagesOf(rows: number, known: Pick<Known, "pageSize" | "paging">): number {
  const byCursor = Math.max(1, Math.ceil(rows / known.pageSize));
  if (known.paging === "cursor") return byCursor;
  const byPage = requestsByPage(Math.round(rows), known.pageSize);
  return known.paging === "page" ? byPage : (byCursor + byPage) / 2;
}

/** Rows that a stream has, as an earlier run counted them or its declaration lets expect. */
function rowsOf(def: StreamDef, known: Known): number {
  const bookmark = known.bookmarks[def.name];
  const parts = Object.values(bookmark?.parts ?? {});
  if (bookmark?.rows !== undefined) return bookmark.rows;
  if (parts.length > 0) return sum(parts.map((part) => part.rows));
  const { rows = 0, perSeat = 0 } = def.expect ?? {};
  return Math.round(rows + perSeat * (known.seats ?? SEATS) * slicesOf(def, known));
}

/** One for a stream that is not read in slices. */
function slicesOf({ replication: by }: StreamDef, known: Known): number {
  if (by.mode !== "incremental" || by.by !== "slices") return 1;
  return known.slices ?? rowsOf(by.stream, known);
}

/**
 * What a stream is expected to take.
 *
 * @param isDerived whether its rows are taken from another stream where that can be proved.
 */
export function forecast(
  def: StreamDef,
  reading: Reading,
  known: Known,
  isDerived: boolean,
): Forecast {
  const { requests, rows } = expected(def, reading, known, isDerived);
  return { requests: Math.round(requests), rows: Math.round(rows) };
}

function expected(def: StreamDef, reading: Reading, known: Known, isDerived: boolean): Forecast {
  const by = def.replication;
  const all = rowsOf(def, known);
  const { moving = 1 } = def.expect ?? {};
  const share = (n: number): number => (reading === "first" ? n : Math.round(n * moving));
  if (def.listing === "object") return { requests: 1, rows: 1 };
  if (by.mode === "incremental" && by.by === "slices") {
    if (reading === "first") return { requests: pagesOf(all, known), rows: all };
    return openSlices(known.bookmarks[def.name], all, known, moving);
  }
  if (def.parent === undefined) {
    return { requests: def.listing === "whole" ? 1 : pagesOf(all, known), rows: all };
  }
  if (def.derive !== undefined && isDerived) {
    // Groups whose count does not agree are few; how many, only reading tells.
    return { requests: Math.round(parentsOf(def, known) * moving), rows: all };
  }
  if (by.mode === "incremental" && by.by === "fingerprint") {
    return below(def, reading, all, known, moving);
  }
  const parents = parentsOf(def, known);
  if (def.listing === "whole") return { requests: parents, rows: share(all) };
  const each = pagesOf(parents === 0 ? 0 : all / parents, known);
  return { requests: parents * each, rows: all };
}

function parentsOf(def: StreamDef, known: Known): number {
  if (known.parents !== undefined) return known.parents.length;
  return def.parent === undefined ? 0 : rowsOf(def.parent.stream, known);
}

/** Below parents: those that are new or changed, or all of them. */
function below(
  def: StreamDef,
  reading: Reading,
  all: number,
  known: Known,
  moving: number,
): Forecast {
  const parts = known.bookmarks[def.name]?.parts ?? {};
  const { parents } = known;
  if (parents === undefined) {
    const count = parentsOf(def, known);
    const read = reading === "first" ? count : Math.ceil(count * moving);
    const rows = count === 0 ? 0 : all / count;
    return { requests: read * pagesOf(rows, known), rows: Math.round(read * rows) };
  }
  const isKnown = Object.keys(parts).length > 0;
  const isDue = ({ key, print }: Parent): boolean => {
    const part = parts[key];
    if (reading === "first" || part === undefined) return true;
    return part.print !== print || !isRecent(part.readAt, known.reverifyDays, known.now);
  };
  const counts = parents.filter(isDue).map(({ key, count }) => count ?? parts[key]?.rows ?? 0);
  const requests = sum(counts.map((rows) => pagesOf(rows, known)));
  const rows = sum(counts);
  // Nothing is known of an earlier run: the usual share of what the parents say.
  if (reading === "first" || isKnown) return { requests, rows };
  return { requests: Math.ceil(requests * moving), rows: Math.ceil(rows * moving) };
}

/** Slices that were open when they were last read, or whose look-back is not over. */
function openSlices(
  bookmark: Bookmark | undefined,
  all: number,
  known: Known,
  moving: number,
): Forecast {
  const parts = Object.values(bookmark?.parts ?? {});
  if (parts.length === 0) {
    const rows = Math.round(all * moving);
    return { requests: Math.max(1, pagesOf(rows, known)), rows };
  }
  const { scannedAt = null } = bookmark ?? {};
  const scan = { requests: pagesOf(all, known), rows: all };
  if (scannedAt === null || !isRecent(scannedAt, known.reverifyDays, known.now)) return scan;
  const isOpen = ({ overSince, print }: Part): boolean =>
    print !== "" && (overSince == null || isRecent(overSince, known.lookbackDays, known.now));
  const rows = parts.filter(isOpen).map((part) => part.rows);
  const due = { requests: sum(rows.map((n) => pagesOf(n, known))), rows: sum(rows) };
  return due.requests < scan.requests ? due : scan;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
