import { DAY_MS, isRecent } from "../clock.js";
import type { Slice, Slices } from "../collect.js";
import { ConnectorError } from "../errors.js";
import { pagesOf } from "../forecast.js";
import { decodeIds, encodeIds } from "../idset.js";
import { textOf, type Json } from "../json.js";
import { picker } from "../normalise.js";
import type { Page } from "../ports.js";
import type { Part } from "../state.js";
import type { SliceReplication } from "../stream.js";
import { isNotFound, type StreamReader } from "./context.js";
import { Progress } from "./progress.js";
import { newTally, requireSome, type Tally } from "./tally.js";

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
  const parts = reader.context.planned.bookmark?.parts;
  if (parts !== undefined) {
    const keys = due === "everything" ? Object.keys(parts) : due.map((slice) => slice.key);
    reader.estimate(keys.reduce((sum, key) => sum + (parts[key]?.rows ?? 0), 0));
  }
  if (due === "everything") await scan(reader, slices.list, by);
  else await readDue(reader, slices.list, due, by);
}

/** Which slices to read; everything if that is needed or cheaper. What was broken off goes on. */
function dueSlices(
  reader: StreamReader,
  slices: readonly Slice[],
): readonly Slice[] | "everything" {
  const { planned, settings, startedAt, source } = reader.context;
  const parts = planned.bookmark?.parts;
  const scannedAt = planned.bookmark?.scannedAt ?? null;
  const pass = planned.bookmark?.pass ?? null;
  if (pass !== null) {
    const todo = decodeIds(pass.todo);
    return slices.filter(({ key }) => todo.has(Number(key)));
  }
  if (parts === undefined || scannedAt === null) return "everything";
  if (!isRecent(scannedAt, settings.reverifyDays, startedAt)) return "everything";
  const lookbackFrom = Date.parse(startedAt) - settings.lookbackDays * DAY_MS;
  const due = slices.filter((slice) => {
    const part = parts[slice.key];
    if (!slice.over || part?.overSince == null || part.print !== slice.print) return true;
    return Date.parse(slice.end ?? part.overSince) > lookbackFrom;
  });
  // Where nobody knows how the server pages, both sides count as if by cursor.
  const paging = source.memory.paging ?? "cursor";
  const cost = (rows: number) => pagesOf(rows, { pageSize: settings.pageSize, paging });
  const rowsOf = (key: string) => parts[key]?.rows ?? 0;
  const total = slices.reduce((sum, slice) => sum + rowsOf(slice.key), rowsOf(NO_SLICE));
  const dueCost = due.reduce((sum, slice) => sum + cost(rowsOf(slice.key)), 0);
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
  try {
    for await (const page of reader.pages()) {
      await reader.take(page);
      count(page, counts, (item) => sliceOf(item)[by.param] ?? null);
    }
  } catch (error) {
    await leaveSlices(reader, slices, error);
    throw error;
  }
  reader.completed({ kind: "whole" });
  const before = planned.bookmark?.parts ?? {};
  const parts = new Map<string, Part>();
  for (const slice of slices) {
    const rows = counts.get(slice.key) ?? 0;
    parts.set(slice.key, partOf(slice, rows, startedAt, before[slice.key]));
    counts.delete(slice.key);
  }
  const unlisted = [...counts].filter(([key]) => key !== NO_SLICE);
  if (unlisted.length > 0) {
    const gone = unlisted.reduce((sum, [, n]) => sum + n, 0);
    reader.warn(
      `${String(gone)} rows of ${String(unlisted.length)} ${by.param} that are not listed: deleted, or the list is cut short`,
    );
  }
  const rows = [...counts.values()].reduce((sum, n) => sum + n, 0);
  if (rows > 0) parts.set(NO_SLICE, { print: "", readAt: startedAt, rows, overSince: startedAt });
  await reader.checkpoint({
    completedAt: startedAt,
    scannedAt: startedAt,
    parts: Object.fromEntries(parts),
    ...(planned.bookmark?.pass === undefined ? {} : { pass: null }),
  });
}

/**
 * A listing cannot be resumed in its middle, so a scan that the quota cut short could be cut short
 * every day. The next run goes on slice by slice.
 */
async function leaveSlices(
  reader: StreamReader,
  slices: readonly Slice[],
  error: unknown,
): Promise<void> {
  const isSpent = error instanceof ConnectorError && error.kind === "quota";
  const ids = slices.map(({ key }) => Number(key));
  if (!isSpent || !ids.every((id) => Number.isSafeInteger(id) && id >= 0)) return;
  const { planned, startedAt } = reader.context;
  const pass = { since: startedAt, todo: encodeIds(ids), scan: true } as const;
  await reader.checkpoint({ completedAt: null, ...planned.bookmark, pass });
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
  const { startedAt } = reader.context;
  const pass = reader.context.planned.bookmark?.pass ?? null;
  const progress = new Progress(reader);
  const tally = newTally();
  progress.begin(due.map(({ key }) => key));
  await progress.during(async () => {
    for (const slice of due) {
      const rows = await readSlice(reader, slice, by, tally);
      if (rows === null) progress.gone(slice.key);
      else {
        const part = partOf(slice, rows, startedAt, progress.of(slice.key));
        await progress.done(slice.key, part);
      }
    }
  });
  requireSome(reader, tally);
  if (pass?.scan) reader.warn(`rows without a ${by.param} are left to the next full scan`);
  const listed = new Set([NO_SLICE, ...slices.map((slice) => slice.key)]);
  await progress.finish(listed, pass?.scan ? pass.since : undefined);
}

async function readSlice(
  reader: StreamReader,
  slice: Slice,
  by: SliceReplication,
  tally: Tally,
): Promise<number | null> {
  const { rejected } = reader;
  let rows = 0;
  try {
    for await (const page of reader.pages({}, { [by.param]: slice.key })) {
      rows += await reader.take(page);
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
    tally.gone += 1;
    reader.warn(`${by.param} ${slice.key} has gone since it was listed: skipped`);
    return null;
  }
  tally.read += 1;
  // Slices that are not listed any more are left to the next scan: their list may be cut short.
  reader.completed({ kind: "part", column: by.param, value: slice.value }, rejected);
  return rows;
}

function partOf(slice: Slice, rows: number, readAt: string, before: Part | undefined): Part {
  const ended = slice.end !== null && slice.end < readAt ? slice.end : readAt;
  const overSince = slice.over ? (before?.overSince ?? ended) : null;
  return { print: slice.print, readAt, rows, overSince };
}
