import { isRecent } from "../clock.js";
import type { Memberships, Parent, Parents } from "../collect.js";
import { fanOut, type Branch } from "../fanout.js";
import { decodeIds, encodeIds } from "../idset.js";
import type { Page } from "../ports.js";
import type { Row } from "../record.js";
import type { CursorReplication, Derivation } from "../stream.js";
import { isNotFound, type StreamReader } from "./context.js";
import { Window } from "./listing.js";
import { Progress } from "./progress.js";

/** Reads the rows below every parent. */
export async function readAllBelow(reader: StreamReader, parents: Parents): Promise<void> {
  for (const branch of branches(reader, parents.list)) await readBranch(reader, branch);
  await reader.checkpoint({ completedAt: reader.context.startedAt });
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
  await progress.during(async () => {
    for (const branch of branches(reader, parents.list.filter(isDue))) {
      const { key, print } = branch.parent;
      const rows = await readBranch(reader, branch);
      if (rows === null) progress.gone(key);
      else await progress.done(key, { print, readAt: startedAt, rows });
    }
  });
  await progress.finish(new Set(parents.list.map((parent) => parent.key)));
}

/** Reads dated rows below every parent; a parent not seen before is read from the beginning. */
export async function readSinceBelow(
  reader: StreamReader,
  parents: Parents,
  by: CursorReplication,
): Promise<void> {
  const { planned, settings, startedAt } = reader.context;
  const known = decodeIds(planned.bookmark?.known ?? "");
  const before = planned.bookmark?.cursor ?? null;
  const window = new Window(by, before, settings.startDate, startedAt);
  const isNew = (parent: Parent) => before === null || !known.has(Number(parent.key));
  const query = (parent: Parent) => window.query(isNew(parent));
  const read: number[] = [];
  for (const branch of branches(reader, parents.list, query)) {
    const keep = window.keep(isNew(branch.parent));
    if ((await readBranch(reader, branch, keep)) !== null) read.push(Number(branch.parent.key));
  }
  const bookmark = { completedAt: startedAt, cursor: window.cursor, known: encodeIds(read) };
  await reader.checkpoint(bookmark);
}

/** Hands on derived rows where the parent's own count agrees, and reads the others. */
export async function readDerived(
  reader: StreamReader,
  parents: Parents,
  memberships: Memberships,
  derive: Derivation,
): Promise<void> {
  const differs = parents.list.filter((p) => memberships.proved(p.key, p.count) === null);
  const read = branches(reader, differs);
  try {
    for (const parent of parents.list) {
      const members = memberships.proved(parent.key, parent.count);
      if (members === null) {
        const next = read.next();
        if (next.done !== true) await readBranch(reader, next.value);
        continue;
      }
      await reader.give(members.length, (i) =>
        derivedRow(reader, parent, derive.as, members[i] ?? null),
      );
    }
  } finally {
    read.return(undefined);
  }
  await reader.checkpoint({ completedAt: reader.context.startedAt });
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

/** Reads below one parent. Null if it has gone since it was listed: not a failure, but said. */
async function readBranch(
  reader: StreamReader,
  branch: Branch<Parent, Page>,
  keep?: (row: Row) => boolean,
): Promise<number | null> {
  let rows = 0;
  try {
    for await (const page of branch.pages) {
      rows += await reader.take(page, branch.parent.bound, keep);
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
    reader.warn(`parent ${branch.parent.key} has gone since it was listed: skipped`);
    return null;
  }
  const { count } = branch.parent;
  if (count !== null && count !== rows) {
    reader.warn(`parent ${branch.parent.key} says ${String(count)} rows, ${String(rows)} came`);
  }
  return rows;
}
