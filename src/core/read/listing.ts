import { DAY_MS, isoDay } from "../clock.js";
import type { Row } from "../record.js";
import type { CursorReplication } from "../stream.js";
import type { StreamReader } from "./context.js";

/** Reads a listing from its first page to its last; it may be resumed only from the start. */
export async function readListing(reader: StreamReader): Promise<void> {
  for await (const page of reader.pages()) await reader.take(page);
  reader.completed({ kind: "whole" });
  await reader.checkpoint({ completedAt: reader.context.startedAt, rows: reader.came });
}

/** Reads dated rows and hands on those from shortly before the bookmark on. */
export async function readSince(reader: StreamReader, by: CursorReplication): Promise<void> {
  const { planned, settings, startedAt } = reader.context;
  const before = planned.bookmark?.cursor ?? null;
  const window = new Window(by, before, settings.startDate, startedAt);
  for await (const page of reader.pages({}, window.query(before === null))) {
    await reader.take(page, {}, window.keep(before === null));
  }
  await reader.checkpoint({ completedAt: startedAt, cursor: window.cursor, rows: reader.came });
}

/** Which rows of a dated stream are handed on, and how far they got. */
export class Window {
  /** Greatest day seen, never before the bookmark and never after the run's own day. */
  cursor: string | null;
  readonly #by: CursorReplication;
  readonly #since: string | null;
  readonly #start: string | null;
  readonly #today: string;
  readonly #gap: boolean;

  constructor(
    by: CursorReplication,
    bookmark: string | null,
    start: string | null,
    startedAt: string,
  ) {
    const now = Date.parse(startedAt);
    this.#by = by;
    this.#start = start;
    this.#today = isoDay(now);
    this.cursor = bookmark;
    // A bookmark ahead of the clock was written while the clock was wrong: today is not behind it.
    const at = bookmark === null ? null : Math.min(Date.parse(bookmark), now);
    this.#since = at === null ? null : isoDay(at - by.lookbackDays * DAY_MS);
    this.#gap = at === null || now - at > by.fullAfterDays * DAY_MS;
  }

  /** The widened query, if this parent was never read or so long ago that rows might be missed. */
  query(first: boolean): Readonly<Record<string, string>> {
    return first || this.#gap ? this.#by.fullQuery : {};
  }

  keep(first: boolean): (row: Row) => boolean {
    const from = first ? this.#start : later(this.#since, this.#start);
    return (row) => {
      const day = row[this.#by.cursor];
      if (typeof day !== "string") return true;
      if (day <= this.#today && (this.cursor === null || day > this.cursor)) this.cursor = day;
      return from === null || day >= from;
    };
  }
}

function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}
