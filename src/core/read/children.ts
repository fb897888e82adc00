import { isoDay, isRecent } from "../clock.js";
import { columnsOf } from "../columns.js";
import type { Memberships, Parent, Parents } from "../collect.js";
import { partColumnOf } from "../declared.js";
import { ConnectorError } from "../errors.js";
import { fanOut, type Branch } from "../fanout.js";
import { decodeIds, encodeIds } from "../idset.js";
import type { Page } from "../ports.js";
import { judge } from "../proof.js";
import type { Row } from "../record.js";
import type { CursorReplication, Derivation } from "../stream.js";
import { isNotFound, type StreamReader } from "./context.js";
import { Window } from "./listing.js";
import { PassProgress } from "./pass.js";
import { Progress } from "./progress.js";
import { newTally, requireSome, type Tally } from "./tally.js";

/** Reads the rows below every parent; goes on where an earlier run broke off. */
export async function readAllBelow(reader: StreamReader, parents: Parents): Promise<void> {
  const { planned, startedAt } = reader.context;
  const keys = parents.list.map(({ key }) => key);
  const completedAt = planned.bookmark?.completedAt ?? null;
  const pass = new PassProgress(reader, keys, () => ({ completedAt }));
  const due = parents.list.filter(({ key }) => pass.isDue(key));
  const tally = newTally(keys.length - due.length);
  await pass.during(async () => {
    for (const branch of branches(reader, due)) await readOf(pass, reader, branch, tally);
  });
  requireSome(reader, tally);
  completedRest(reader, parents);
  await pass.finish({ completedAt: startedAt });
}

/** Reads the rows below those parents that are new, changed, or not looked at for long. */
export async function readChangedBelow(reader: StreamReader, parents: Parents): Promise<void> {
  const { settings, startedAt } = reader.context;
  const progress = new Progress(reader);
  const isDue = (parent: Parent): boolean => {
    const part = progress.of(parent.key);
    if (part === undefined || part.print !== parent.print) return true;
    return !isRecent(part.readAt, settings.reverifyDays, startedAt);
  };
  const due = parents.list.filter(isDue);
  const tally = newTally(parents.list.length - due.length);
  if (due.every(({ key }) => progress.of(key) !== undefined)) {
    reader.estimate(due.reduce((sum, { key }) => sum + (progress.of(key)?.rows ?? 0), 0));
  }
  await progress.during(async () => {
    for (const branch of branches(reader, due)) {
      const { key, print } = branch.parent;
      const rows = await readBranch(reader, branch, tally);
      if (rows === null) progress.gone(key);
      else await progress.done(key, { print, readAt: startedAt, rows });
    }
    requireSome(reader, tally);
  });
  completedRest(reader, parents);
  await progress.finish(new Set(parents.list.map((parent) => parent.key)));
}

/**
 * Reads dated rows below every parent; a parent not seen before is read from the beginning. Goes on
 * where an earlier run broke off, without the parents' own listing if nobody else wants it.
 */
export async function readSinceBelow(
  reader: StreamReader,
  parents: Parents | undefined,
  by: CursorReplication,
): Promise<void> {
  const { planned, settings, startedAt } = reader.context;
  const known = decodeIds(planned.bookmark?.known ?? "");
  const before = planned.bookmark?.cursor ?? null;
  const completedAt = planned.bookmark?.completedAt ?? null;
  const window = new Window(by, before, settings.startDate, startedAt);
  const list = parents?.list ?? remembered(reader);
  const listed = new Set(list.map(({ key }) => Number(key)));
  const isNew = ({ key }: Parent) => before === null || !known.has(Number(key));
  const pass = new PassProgress(
    reader,
    list.map(({ key }) => key),
    () => ({ completedAt, cursor: before, known: encodeIds(known) }),
  );
  const due = list.filter(({ key }) => pass.isDue(key));
  // Parents that an earlier run left may all have gone by now; nobody lists them again.
  const tally = newTally(parents === undefined ? 1 : list.length - due.length);
  await pass.during(async () => {
    for (const branch of branches(reader, due, (parent) => window.query(isNew(parent)))) {
      const { key } = branch.parent;
      const keep = window.keep(isNew(branch.parent));
      if ((await readBranch(reader, branch, tally, keep)) === null) {
        known.delete(Number(key));
        pass.gone(key);
      } else {
        known.add(Number(key));
        await pass.done(key);
      }
    }
  });
  requireSome(reader, tally);
  const cursor = pass.since === startedAt ? window.cursor : capped(window.cursor, pass, before);
  const still = parents === undefined ? known : [...known].filter((id) => listed.has(id));
  await pass.finish({ completedAt: startedAt, cursor, known: encodeIds(still) });
}

/** Parents that an earlier run left, when they are not listed again. */
function remembered(reader: StreamReader): readonly Parent[] {
  const { bookmark, def } = reader.context.planned;
  const [param = ""] = Object.keys(def.parent?.bind ?? {});
  return [...decodeIds(bookmark?.pass?.todo ?? "")].map((id) => ({
    key: String(id),
    bound: { [param]: id },
    print: "",
    count: null,
  }));
}

/** Parents that an earlier run read are known no further than to the day on which it began. */
function capped(cursor: string | null, pass: PassProgress, before: string | null): string | null {
  const since = isoDay(Date.parse(pass.since));
  const last = cursor !== null && cursor > since ? since : cursor;
  return before !== null && (last === null || before > last) ? before : last;
}

/** Hands on derived rows where the parent's own count agrees, and reads the others. */
export async function readDerived(
  reader: StreamReader,
  parents: Parents,
  memberships: Memberships,
  derive: Derivation,
): Promise<void> {
  const differs = parents.list.filter((p) => memberships.proved(p.key, p.count) === null);
  const rowsOf = (p: Parent) => memberships.proved(p.key, p.count)?.length ?? p.count ?? 0;
  reader.estimate(parents.list.reduce((sum, parent) => sum + rowsOf(parent), 0));
  const completedAt = reader.context.planned.bookmark?.completedAt ?? null;
  const pass = new PassProgress(
    reader,
    parents.list.map(({ key }) => key),
    () => ({ completedAt }),
  );
  const due = differs.filter(({ key }) => pass.isDue(key));
  const read = branches(reader, due);
  const tally = newTally(parents.list.length - due.length);
  let derived = 0;
  try {
    await pass.during(async () => {
      for (const parent of parents.list) {
        const members = memberships.proved(parent.key, parent.count);
        if (members !== null) {
          derived += members.length;
          await giveDerived(reader, parent, derive, members);
        } else if (pass.isDue(parent.key)) {
          const next = read.next();
          if (next.done !== true) await readOf(pass, reader, next.value, tally);
        }
      }
    });
  } finally {
    read.return(undefined);
  }
  requireSome(reader, tally);
  completedRest(reader, parents);
  const { startedAt } = reader.context;
  reader.proof.derived(derived);
  const isWhole = pass.since === startedAt;
  await pass.finish({
    completedAt: startedAt,
    ...(isWhole ? { rows: derived + reader.came } : {}),
  });
}

/** All rows below a parent came. */
function completedBelow(reader: StreamReader, { bound }: Parent, rejectedBefore: number): void {
  const column = partColumnOf(reader.context.planned.def);
  if (column === null) return;
  reader.completed({ kind: "part", column, value: bound[column] ?? null }, rejectedBefore);
}

/** The parents' own listing was read to its end: nothing is below one that is not in it. */
function completedRest(reader: StreamReader, { list, isWhole }: Parents): void {
  const column = partColumnOf(reader.context.planned.def);
  if (!isWhole || column === null) return;
  const listed = list.map(({ bound }) => bound[column] ?? null);
  reader.completed({ kind: "rest", column, listed }, reader.rejected);
}

async function giveDerived(
  reader: StreamReader,
  parent: Parent,
  { as }: Derivation,
  members: readonly Row[string][],
): Promise<void> {
  reader.proof.compared(members.length, members.length);
  await reader.give(members.length, (i) => derivedRow(reader, parent, as, members[i] ?? null));
  completedBelow(reader, parent, reader.rejected);
}

function derivedRow(reader: StreamReader, parent: Parent, as: string, key: Row[string]): Row {
  const values: Row = { ...parent.bound, [as]: key };
  const columns = reader.context.planned.columns.filter((c) => c.name !== "_observed_at");
  return Object.fromEntries(columns.map((c) => [c.name, values[c.name] ?? null]));
}

function branches(
  reader: StreamReader,
  parents: readonly Parent[],
  query: (parent: Parent) => Readonly<Record<string, string>> = () => ({}),
): Generator<Branch<Parent, Page>> {
  return fanOut(parents, reader.context.settings.concurrency, (parent) =>
    reader.pages(parent.bound, query(parent)),
  );
}

/** A parent in a message; a person is not named there, by their key neither. */
function nameOf(reader: StreamReader, parent: Parent): string {
  const above = reader.context.planned.def.parent?.stream;
  const keys = new Set(above?.primaryKey);
  const isPerson =
    above !== undefined && columnsOf(above).some((c) => keys.has(c.name) && c.pii !== undefined);
  return isPerson ? "a parent" : `parent ${parent.key}`;
}

/** Holds what came against what the parent says; {@link judge} says what becomes of a contradiction. */
function compare(reader: StreamReader, parent: Parent, declared: number, came: number): void {
  reader.proof.compared(declared, came);
  const verdict = judge(declared, came);
  if (verdict === "equal") return;
  const { name, path } = reader.context.planned.def;
  const says = `${nameOf(reader, parent)} says ${String(declared)} rows`;
  if (verdict === "differs") {
    reader.warn(`${says}, ${String(came)} came`);
    return;
  }
  throw new ConnectorError(
    "api_contract",
    `${name}: ${says}, but GET ${path} ends after ${String(came)}: the list is cut off`,
    {
      hint: 'set pagination to "page", or page_size to another number; if that does not help, report it',
      context: { stream: name, declared, came },
    },
  );
}

/** Reads below one parent. Null if it has gone since it was listed: not a failure, but said. */
/** Reads the rows below a parent as a part of a reading that may take several runs. */
async function readOf(
  pass: PassProgress,
  reader: StreamReader,
  branch: Branch<Parent, Page>,
  tally: Tally,
): Promise<void> {
  const { key } = branch.parent;
  if ((await readBranch(reader, branch, tally)) === null) pass.gone(key);
  else await pass.done(key);
}

async function readBranch(
  reader: StreamReader,
  branch: Branch<Parent, Page>,
  tally: Tally,
  keep?: (row: Row) => boolean,
): Promise<number | null> {
  const { rejected } = reader;
  let rows = 0;
  try {
    for await (const page of branch.pages) {
      rows += await reader.take(page, branch.parent.bound, keep);
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
    tally.gone += 1;
    reader.warn(`${nameOf(reader, branch.parent)} has gone since it was listed: skipped`);
    return null;
  }
  tally.read += 1;
  const { count } = branch.parent;
  if (count !== null) compare(reader, branch.parent, count, rows);
  // Of rows that are filtered, and of fewer than there should be, nobody can tell what is missing.
  if (keep === undefined && (count === null || rows >= count)) {
    completedBelow(reader, branch.parent, rejected);
  }
  return rows;
}
