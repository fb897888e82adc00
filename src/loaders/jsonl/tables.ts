import { join } from "node:path";

import { isObject, stringify, type Json } from "../../core/json.js";
import type { CountAsk, LoadRecord } from "../dialect.js";
import { linesOf } from "../lines.js";
import type { Manifest, Part } from "../manifest.js";
import type { Counts } from "../store.js";
import { joined, WRITTEN, type Table } from "../table.js";
import { syncFolder, tableFolder, type Catalogue, type FolderTable } from "./catalogue.js";
import { identityOf, LineFile, tabled } from "./rows.js";

export const LOADS: Table = {
  name: "_kb4_loads",
  description: "One row per load and table. A load that is not here was not committed.",
  columns: [],
  primaryKey: [],
};
export const REJECTS: Table = {
  name: "_kb4_rejects",
  description: "Rows that do not fit their stream, as they came, and why. May hold personal data.",
  columns: [],
  primaryKey: [],
};

/** Where a load's files go. */
export interface Site {
  readonly folder: string;
  readonly loadId: string;
}

/** Writes a load's files, and tells the tables that have them now. Names none of them yet. */
export async function newTables(
  folder: string,
  { tables }: Catalogue,
  manifest: Manifest,
  record: LoadRecord,
): Promise<Catalogue["tables"]> {
  const site = { folder, loadId: manifest.loadId };
  const made: Record<string, FolderTable> = {};
  const books: string[] = [];
  const book = (booked: Partial<Booked>) => books.push(bookLine(record, { ...IDLE, ...booked }));
  for (const part of manifest.parts) {
    const { table, rejected } = part;
    const [entry, written] = await newTable(site, tables[table.name], part);
    made[table.name] = entry;
    const { name: stream } = table;
    const proof = part.proof ?? null;
    book({ stream, mode: modeOf(part), staged: part.file?.rows ?? 0, written, rejected, proof });
  }
  for (const { stream, rejected } of manifest.withheld) book({ stream, mode: "rejects", rejected });
  if (books.length === 0) book({});
  if (manifest.rejects !== null) {
    const rejected = linesOf(manifest.rejects.path);
    made[REJECTS.name] = await longer(
      site,
      REJECTS,
      tables[REJECTS.name],
      withLoad(site, rejected),
    );
  }
  made[LOADS.name] = await longer(site, LOADS, tables[LOADS.name], books);
  return made;
}

function modeOf({ table, mode }: Part): string {
  return mode === "merge" && table.primaryKey.length === 0 ? "append" : mode;
}

/** A part's table with its rows, and how many were written. */
async function newTable(
  site: Site,
  before: FolderTable | undefined,
  part: Part,
): Promise<readonly [FolderTable, number]> {
  const { file } = part;
  const mode = modeOf(part);
  const base = entryOf(part.table, before);
  if (file === null) {
    return [mode === "replace" ? { ...base, files: [], rows: 0 } : base, 0];
  }
  if (mode !== "merge") {
    const isReplaced = mode === "replace";
    const [path, rows] = await write(site, part.table, withLoad(site, linesOf(file.path), tabled));
    return [
      {
        ...base,
        files: [...(isReplaced ? [] : base.files), path],
        rows: rows + (isReplaced ? 0 : base.rows),
      },
      rows,
    ];
  }
  return merged(site, part.table, base, file.path);
}

/** Columns are added and widened, as in a warehouse; nothing is ever dropped. */
function entryOf(table: Table, before: FolderTable | undefined): FolderTable {
  const isOwn = (name: string) => WRITTEN.some((meta) => meta.name === name);
  const had = (before?.columns ?? []).filter((column) => !isOwn(column.name));
  const columns = [...joined({ ...table, columns: had }, table).columns, ...WRITTEN];
  const { description, primaryKey } = table;
  return {
    description,
    columns,
    primaryKey,
    files: before?.files ?? [],
    rows: before?.rows ?? 0,
  };
}

/** The newest version of each row in one file. Keys of the load are held in memory, not rows. */
async function merged(
  site: Site,
  table: Table,
  base: FolderTable,
  spooled: string,
): Promise<readonly [FolderTable, number]> {
  const { primaryKey } = table;
  const latest = new Map<string, { readonly digest: string; readonly at: number }>();
  let count = 0;
  for await (const line of linesOf(spooled)) {
    const { key, digest } = identityOf(line, primaryKey);
    latest.set(key, { digest, at: count });
    count += 1;
  }
  let replaced = 0;
  async function* rows(): AsyncIterable<string> {
    for (const file of base.files) {
      for await (const line of linesOf(join(site.folder, file))) {
        const { key, digest } = identityOf(line, primaryKey);
        const newer = latest.get(key);
        if (newer === undefined) yield line;
        else if (newer.digest === digest) {
          latest.delete(key);
          yield line;
        } else replaced += 1;
      }
    }
    let at = 0;
    for await (const line of linesOf(spooled)) {
      if (latest.get(identityOf(line, primaryKey).key)?.at === at) yield tabled(line, site.loadId);
      at += 1;
    }
  }
  const [path, total] = await write(site, table, rows());
  // Nothing new: the file that is there stays, and the one just written is swept away.
  if (latest.size === 0 && replaced === 0 && base.files.length === 1) return [base, 0];
  return [{ ...base, files: [path], rows: total }, latest.size];
}

/** A table of the loader's own, one file: what it had, and these lines. */
export async function longer(
  site: Site,
  table: Table,
  before: FolderTable | undefined,
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<FolderTable> {
  async function* all(): AsyncIterable<string> {
    for (const file of before?.files ?? []) yield* linesOf(join(site.folder, file));
    yield* lines;
  }
  const [path, rows] = await write(site, table, all());
  const { description, primaryKey } = table;
  return { description, columns: [], primaryKey, files: [path], rows };
}

export async function write(
  { folder, loadId }: Site,
  table: Table,
  lines: AsyncIterable<string>,
): Promise<readonly [path: string, rows: number]> {
  const below = await tableFolder(folder, table.name);
  const path = `${below}/${loadId}.jsonl`;
  await using file = await LineFile.create(join(folder, path));
  for await (const line of lines) await file.add(line);
  await file.seal();
  await syncFolder(join(folder, below));
  return [path, file.rows];
}

async function* withLoad(
  { loadId }: Site,
  lines: AsyncIterable<string>,
  mark = (line: string, load: string) => `{"load_id":"${load}",${line.slice(1)}`,
): AsyncIterable<string> {
  for await (const line of lines) yield mark(line, loadId);
}

interface Booked {
  readonly stream: string;
  readonly mode: string;
  readonly staged: number;
  readonly written: number;
  readonly rejected: number;
  /** JSON text. */
  readonly proof: string | null;
}

/** A load that brings the state and nothing else. */
export const IDLE: Booked = {
  stream: "",
  mode: "state",
  staged: 0,
  written: 0,
  rejected: 0,
  proof: null,
};

/** As a row of `_kb4_loads` in a warehouse. */
export function bookLine(record: LoadRecord, booked: Booked): string {
  const { stream, mode, staged, written, rejected, proof } = booked;
  const { loadId, runId, pipeline, startedAt, committedAt, toolVersion } = record;
  return stringify({
    load_id: loadId,
    run_id: runId,
    pipeline,
    stream,
    mode,
    rows_staged: staged,
    rows_written: written,
    rows_rejected: rejected,
    started_at: startedAt,
    committed_at: committedAt,
    tool_version: toolVersion,
    proof: proof === null ? null : (JSON.parse(proof) as Json),
  });
}

/** Whether a load is in the folder. */
export async function isBooked(
  folder: string,
  { tables }: Catalogue,
  loadId: string,
): Promise<boolean> {
  const sign = `{"load_id":"${loadId}",`;
  for (const file of tables[LOADS.name]?.files ?? []) {
    for await (const line of linesOf(join(folder, file))) if (line.startsWith(sign)) return true;
  }
  return false;
}

/** The last proof of each stream of a pipeline. */
export async function proofsIn(
  folder: string,
  { tables }: Catalogue,
  pipeline: string,
): Promise<Readonly<Record<string, unknown>>> {
  const proofs: Record<string, unknown> = {};
  for (const file of tables[LOADS.name]?.files ?? []) {
    for await (const line of linesOf(join(folder, file))) {
      const row: unknown = JSON.parse(line);
      if (!isObject(row) || row["pipeline"] !== pipeline || row["proof"] == null) continue;
      // Loads stand in the order in which they were committed.
      proofs[String(row["stream"])] = row["proof"];
    }
  }
  return proofs;
}

/** Different keys of a table, by the value of a column. Keys are held in memory, not rows. */
export async function rowsIn(
  folder: string,
  { tables }: Catalogue,
  { table, key, by }: CountAsk,
): Promise<Counts | null> {
  const files = tables[table]?.files;
  if (files === undefined) return null;
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  for (const file of files) {
    for await (const line of linesOf(join(folder, file))) {
      const part = by === null ? "" : identityOf(line, [by]).key.replace(/^"(.*)"$/, "$1");
      const identity = `${identityOf(line, key).key} ${part}`;
      if (seen.has(identity)) continue;
      seen.add(identity);
      counts.set(part, (counts.get(part) ?? 0) + 1);
    }
  }
  return counts;
}
