import { join } from "node:path";

import { isObject } from "../../core/json.js";
import type { Trace, Traces } from "../../core/privacy/traces.js";
import { parseState } from "../../core/state.js";
import type { LoadRecord } from "../dialect.js";
import type { Forgetting, Forgotten, ForgottenTable } from "../forget/forget.js";
import { changedBookmarks, personOf, type Finder, type Person } from "../forget/person.js";
import { linesOf } from "../lines.js";
import { members } from "../members.js";
import type { Catalogue, FolderTable } from "./catalogue.js";
import { bookLine, IDLE, LOADS, longer, REJECTS, write, type Site } from "./tables.js";

type Line = Readonly<Record<string, unknown>>;

/** What a folder has of a person, and the catalogue without it. Writes the files that this one names. */
export async function withoutPerson(
  folder: string,
  catalogue: Catalogue,
  { wanted, streams }: Forgetting,
  record: LoadRecord | null,
): Promise<readonly [Forgotten, Catalogue]> {
  const read = (table: string) => rowsOf(folder, catalogue.tables[table]);
  const named = streams.filter(
    (s) => catalogue.tables[s.stream] !== undefined && s.own.length + s.mentions.length > 0,
  );
  const person = await personOf(wanted, finderOf(named, read));
  const tables: Record<string, FolderTable> = { ...catalogue.tables };
  const found: ForgottenTable[] = [];
  const look = async (table: string, hasOwn: boolean, change: Change): Promise<void> => {
    const before = catalogue.tables[table];
    const counts = { rows: 0, mentions: 0 };
    for await (const line of linesIn(folder, before)) {
      const changed = change(line);
      if (changed === null) counts.rows += 1;
      else if (changed !== line) counts.mentions += 1;
    }
    found.push({ table, ...counts, rows: hasOwn ? counts.rows : null });
    if (before === undefined || record === null || counts.rows + counts.mentions === 0) return;
    tables[table] = await rewritten({ folder, loadId: record.loadId }, table, before, change);
  };
  for (const it of named) {
    const hasOwn = it.own.some(({ column }) => hasColumn(catalogue.tables[it.stream], column));
    await look(it.stream, hasOwn, (line) => changedLine(line, it, person));
  }
  await look(REJECTS.name, true, (line) => (isRejected(line, streams, person) ? null : line));
  const states = Object.entries(catalogue.state).map(([pipeline, { version, bookmarks }]) => {
    const state = parseState({ version: 1, bookmarks }, `state of pipeline ${pipeline}`);
    const changed = changedBookmarks(state, streams, person, wanted.hash);
    return { pipeline, version, bookmarks, changed };
  });
  const bookmarks = states.reduce((sum, { changed }) => sum + Object.keys(changed).length, 0);
  const forgotten = { tables: found, bookmarks };
  const touched = found.filter(({ rows, mentions }) => (rows ?? 0) + mentions > 0);
  if (record === null || touched.length + bookmarks === 0) return [forgotten, catalogue];
  const books = touched.map(({ table: stream }) =>
    bookLine(record, { ...IDLE, stream, mode: "forget" }),
  );
  const site = { folder, loadId: record.loadId };
  tables[LOADS.name] = await longer(site, LOADS, tables[LOADS.name], books);
  // Moved for all of them: a run under way has read the person before.
  const moved = states.map(({ pipeline, version, bookmarks: before, changed }) => [
    pipeline,
    { version: version + 1, bookmarks: { ...before, ...changed } },
  ]);
  const state = Object.fromEntries(moved) as Catalogue["state"];
  return [forgotten, { ...catalogue, state, tables }];
}

/** A line as it is to stay; null for one that goes. */
type Change = (line: string) => string | null;

async function rewritten(
  site: Site,
  table: string,
  before: FolderTable,
  change: Change,
): Promise<FolderTable> {
  async function* kept(): AsyncIterable<string> {
    for await (const line of linesIn(site.folder, before)) {
      const changed = change(line);
      if (changed !== null) yield changed;
    }
  }
  const [path, rows] = await write(site, { ...before, name: table }, kept());
  return { ...before, files: [path], rows };
}

async function* linesIn(folder: string, table: FolderTable | undefined): AsyncIterable<string> {
  for (const file of table?.files ?? []) yield* linesOf(join(folder, file));
}

async function* rowsOf(folder: string, table: FolderTable | undefined): AsyncIterable<Line> {
  for await (const line of linesIn(folder, table)) yield JSON.parse(line) as Line;
}

function hasColumn(table: FolderTable | undefined, column: string): boolean {
  return table?.columns.some((c) => c.name === column) === true;
}

function finderOf(
  streams: readonly Traces[],
  read: (table: string) => AsyncIterable<Line>,
): Finder {
  const asking =
    (by: Trace["tells"], give: Trace["tells"]) =>
    async (wanted: readonly string[]): Promise<readonly string[]> => {
      const found = new Set<string>();
      for (const { stream, own } of streams) {
        const gives = own.filter((t) => t.tells === give && !t.isList);
        const bys = own.filter((t) => t.tells === by && (by === "email" || !t.isList));
        for await (const row of read(stream)) {
          if (!bys.some((t) => valuesAt(row, t).some((v) => wanted.includes(v)))) continue;
          for (const value of gives.flatMap((t) => valuesAt(row, t))) found.add(value);
        }
      }
      return [...found];
    };
  return { idsOf: asking("email", "id"), emailsOf: asking("id", "email") };
}

/** What a row says at a trace, as text; addresses in lower case. */
function valuesAt(row: Line, { column, member, isList, tells }: Trace): readonly string[] {
  const value = row[column];
  const items: readonly unknown[] = isList ? (Array.isArray(value) ? value : []) : [value];
  return items.flatMap((item) => {
    const it = member === null ? item : isObject(item) ? item[member] : null;
    if (typeof it !== "string" && typeof it !== "number") return [];
    return [tells === "email" ? String(it).trim().toLowerCase() : String(it)];
  });
}

function isNamed(row: Line, traces: readonly Trace[], person: Person): boolean {
  return traces.some((trace) => {
    const wanted = trace.tells === "id" ? person.ids : person.emails;
    return valuesAt(row, trace).some((value) => wanted.includes(value));
  });
}

/** An address counts only where there is no id: it may have been another's before. */
function isTheirs(row: Line, own: readonly Trace[], person: Person): boolean {
  const ids = own.filter((t) => t.tells === "id");
  if (ids.some((t) => valuesAt(row, t).length > 0)) return isNamed(row, ids, person);
  return isNamed(row, own, person);
}

function changedLine(line: string, { own, mentions }: Traces, person: Person): string | null {
  const row = JSON.parse(line) as Line;
  if (isTheirs(row, own, person)) return null;
  const clear = mentions.flatMap((m) => (isNamed(row, m.by, person) ? m.clear : []));
  let changed = line;
  // Backwards, so that what is still to be changed stays where it was found.
  for (const { name, from, to } of members(line).toReversed()) {
    if (clear.includes(name)) changed = `${changed.slice(0, from)}null${changed.slice(to)}`;
  }
  return changed;
}

function isRejected(line: string, streams: readonly Traces[], person: Person): boolean {
  const { stream, raw } = JSON.parse(line) as Line;
  const text = JSON.stringify(raw ?? null).toLowerCase();
  if (person.emails.some((email) => text.includes(JSON.stringify(email).slice(1, -1)))) return true;
  const paths = streams.filter((s) => s.stream === stream).flatMap((s) => s.raw);
  return paths.some((path) => {
    let at: unknown = raw;
    for (const name of path) at = isObject(at) ? at[name] : undefined;
    return (typeof at === "number" || typeof at === "string") && person.ids.includes(String(at));
  });
}
