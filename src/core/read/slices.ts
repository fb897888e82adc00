import { DAY_MS } from "../clock.js";
import type { Slice, Slices } from "../collect.js";
import { textOf, type Json } from "../json.js";
import { picker } from "../normalise.js";
import type { Page } from "../ports.js";
import type { Part } from "../state.js";
import type { SliceReplication } from "../stream.js";
import { isNotFound, type StreamReader } from "./context.js";

/** Key of the rows that belong to no slice. */
const NO_SLICE = "";

/**
 * Reads a stream slice by slice: those that can still change, or the whole listing where that
 * takes fewer requests, was never done, or was done too long ago.
 */
export async function readSlices(
  reader: StreamReader,
  slices: Slices,
  by: SliceReplication,
): Promise<void> {
  const due = dueSlices(reader, slices.list);
  if (due === "everything") await scan(reader, slices.list, by);
  else await readDue(reader, slices.list, due, by);
}

/** Which slices to read; everything if that is needed or cheaper. */
function dueSlices(
  reader: StreamReader,
  slices: readonly Slice[],
): readonly Slice[] | "everything" {
  const { planned, settings, startedAt, source } = reader.context;
  const parts = planned.bookmark?.parts;
  const scannedAt = planned.bookmark?.scannedAt ?? null;
  const now = Date.parse(startedAt);
  const within = (at: string | null | undefined, days: number) =>
    at != null && now - Date.parse(at) < days * DAY_MS;
  if (parts === undefined || !within(scannedAt, settings.reverifyDays)) return "everything";
  const due = slices.filter((slice) => {
    const part = parts[slice.key];
    if (!slice.over || part?.overSince == null || part.print !== slice.print) return true;
    return within(slice.end ?? part.overSince, settings.lookbackDays);
  });
  // By page, the end of a listing is one more request: the empty page.
  const end = source.memory.paging === "page" ? 1 : 0;
  const cost = (rows: number) => Math.max(1, Math.ceil(rows / settings.pageSize)) + end;
  const total = Object.values(parts).reduce((sum, part) => sum + part.rows, 0);
  const dueCost = due.reduce((sum, slice) => sum + cost(parts[slice.key]?.rows ?? 0), 0);
  return dueCost < cost(total) ? due : "everything";
}

/** One scan of the whole listing; counts the rows of each slice for the next decision. */
async function scan(
  reader: StreamReader,
  slices: readonly Slice[],
  by: SliceReplication,
): Promise<void> {
  const { planned, startedAt } = reader.context;
  const sliceOf = picker(planned.def, [by.param]);
  const counts = new Map<string, number>();
  for await (const page of reader.pages()) {
    await reader.take(page);
    count(page, counts, (item) => sliceOf(item)[by.param] ?? null);
  }
  const parts: Record<string, Part> = {};
  for (const slice of slices) {
    parts[slice.key] = partOf(slice, counts.get(slice.key) ?? 0, startedAt, undefined);
  }
  const listed = new Set(slices.map((slice) => slice.key));
  const others = [...counts].filter(([key]) => !listed.has(key));
  const rows = others.reduce((sum, [, n]) => sum + n, 0);
  if (rows > 0) parts[NO_SLICE] = { print: "", readAt: startedAt, rows, overSince: startedAt };
  await reader.checkpoint({ completedAt: startedAt, scannedAt: startedAt, parts });
}

function count(page: Page, counts: Map<string, number>, sliceOf: (item: unknown) => Json): void {
  for (const item of page.items) {
    const value = sliceOf(item);
    const key = value === null ? NO_SLICE : textOf(value);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}

async function readDue(
  reader: StreamReader,
  slices: readonly Slice[],
  due: readonly Slice[],
  by: SliceReplication,
): Promise<void> {
  const { planned, startedAt } = reader.context;
  const before = planned.bookmark;
  const done = new Map(Object.entries(before?.parts ?? {}));
  for (const slice of due) {
    const rows = await readSlice(reader, slice, by);
    if (rows === null) continue;
    done.set(slice.key, partOf(slice, rows, startedAt, done.get(slice.key)));
    await reader.checkpoint({
      completedAt: before?.completedAt ?? null,
      scannedAt: before?.scannedAt ?? null,
      parts: Object.fromEntries(done),
    });
  }
  const listed = new Set([NO_SLICE, ...slices.map((slice) => slice.key)]);
  const parts = Object.fromEntries([...done].filter(([key]) => listed.has(key)));
  const scannedAt = before?.scannedAt ?? null;
  await reader.checkpoint({ completedAt: startedAt, scannedAt, parts });
}

async function readSlice(
  reader: StreamReader,
  slice: Slice,
  by: SliceReplication,
): Promise<number | null> {
  let rows = 0;
  try {
    for await (const page of reader.pages({}, { [by.param]: slice.key })) {
      rows += await reader.take(page);
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
    reader.warn(`${by.param} ${slice.key} has gone since it was listed: skipped`);
    return null;
  }
  return rows;
}

function partOf(slice: Slice, rows: number, readAt: string, before: Part | undefined): Part {
  const overSince = slice.over ? (before?.overSince ?? readAt) : null;
  return { print: slice.print, readAt, rows, overSince };
}
