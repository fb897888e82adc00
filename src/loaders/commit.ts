import { ConnectorError } from "../core/errors.js";
import type { Dialect, LoadedTable, LoadRecord, Staged, Statement } from "./dialect.js";
import { evolve, schemaOf, type Schema } from "./evolve.js";
import type { Manifest, Part } from "./manifest.js";
import type { Table } from "./table.js";
import type { Session, SpooledFile, Warehouse } from "./warehouse.js";

/** Rejected rows as they are staged. */
const REJECTS: Table = {
  name: "_kb4_rejects",
  description: "",
  columns: [
    { name: "stream", type: "string", description: "" },
    { name: "reason", type: "string", description: "" },
    { name: "raw", type: "json", description: "" },
    { name: "seen_at", type: "timestamp", description: "" },
  ],
  primaryKey: [],
};

/** Makes the schema and the loader's own tables where they are missing; tells what stands there. */
export async function prepareSchema(session: Session, dialect: Dialect): Promise<Schema> {
  const schema = await schemaIn(session, dialect);
  if (!holdsProofs(schema)) await session.run(dialect.bookkeeping());
  return schema;
}

/** What stands in the schema. */
export async function schemaIn(session: Session, dialect: Dialect): Promise<Schema> {
  return schemaOf(await session.query("reading the schema", dialect.describe()));
}

/** Whether the loader's own tables are there. */
export function isPrepared(schema: Schema): boolean {
  return ["_kb4_state", "_kb4_loads", "_kb4_rejects"].every((name) => schema.has(name));
}

/** Whether they are there as this version has them: made by an earlier one, they hold no proofs. */
export function holdsProofs(schema: Schema): boolean {
  return isPrepared(schema) && schema.get("_kb4_loads")?.columns.has("proof") === true;
}

/** Whether a load is in the warehouse. */
async function isCommitted(session: Session, dialect: Dialect, loadId: string): Promise<boolean> {
  const found = await session.query("looking for a load", dialect.findLoad(loadId));
  return found.length > 0;
}

/**
 * Commits a sealed package: rows, rejected rows, state and the record of the load in one
 * transaction. Changes nothing if the load is there already.
 *
 * @param open opens the session to work in; it is closed again.
 * @param widened tables that have got columns in this run, to be added to: their rows are written
 *   even if they have not changed.
 * @throws ConnectorError `locked` if another run moved the state meanwhile; `destination`.
 */
export async function commitPackage(
  warehouse: Warehouse,
  open: () => Promise<Session>,
  manifest: Manifest,
  record: LoadRecord,
  widened: Set<string>,
): Promise<void> {
  try {
    await using session = await open();
    const { dialect } = warehouse;
    const schema = await prepareSchema(session, dialect);
    const statements = await plan({ session, dialect, schema }, manifest, record, widened);
    await session.transact(statements, manifest.loadId);
  } catch (error) {
    // A connection may break after the warehouse has said yes to itself, and a load that was there
    // already finds the state moved, by itself: asking is the only way. By now the session is
    // closed: one process must not have a DuckDB file open twice.
    if (!(await hasArrived(warehouse, manifest.loadId))) throw error;
  }
}

async function hasArrived(warehouse: Warehouse, loadId: string): Promise<boolean> {
  try {
    await using session = await warehouse.open("write");
    return await isCommitted(session, warehouse.dialect, loadId);
  } catch {
    return false;
  }
}

/** Where statements are planned: what stands there was read once. */
interface Site {
  readonly session: Session;
  readonly dialect: Dialect;
  readonly schema: Schema;
}

async function plan(
  { session, dialect, schema }: Site,
  manifest: Manifest,
  record: LoadRecord,
  widened: Set<string>,
): Promise<readonly Statement[]> {
  const { loadId, pipeline, from, checkpoints } = manifest;
  const evolutions = manifest.parts.map((part) => evolve(dialect, part.table, schema));
  const changes = evolutions.flatMap((evolution) => evolution.statements);
  if (!dialect.transactionalDdl && changes.length > 0) await session.run(changes);
  const rows: Statement[] = [];
  const loaded: LoadedTable[] = [];
  for (const [i, part] of manifest.parts.entries()) {
    const evolution = evolutions[i];
    if (evolution === undefined) continue;
    if (evolution.isWider) widened.add(part.table.name);
    const staged =
      part.file === null ? null : await stage(session, evolution.table, part.file, loadId);
    const isFresh = evolution.isNew || widened.has(part.table.name);
    const writing = await intoTable({ session, dialect }, part, isFresh, staged, loadId);
    rows.push(...writing);
    loaded.push(loadedTable(part, writing.length === 0 ? null : staged));
  }
  for (const { stream, rejected } of manifest.withheld) {
    loaded.push({ stream, mode: "rejects", staged: 0, rejected, proof: null, relation: null });
  }
  if (manifest.rejects !== null) {
    const { relation } = await stage(session, REJECTS, manifest.rejects, loadId);
    rows.push(dialect.appendRejects(relation, loadId));
  }
  const move = { pipeline, loadId, from, checkpoints, at: record.committedAt };
  return [
    ...dialect.moveState(move),
    ...(dialect.transactionalDdl ? changes : []),
    ...rows,
    ...dialect.recordLoad(record, loaded),
  ];
}

/** Stages a file and proves that every line of it arrived. */
async function stage(
  session: Session,
  table: Table,
  file: SpooledFile,
  loadId: string,
): Promise<Staged> {
  const { rows, ...staged } = await session.stage(table, file, loadId);
  if (rows === file.rows) return staged;
  throw new ConnectorError(
    "destination",
    `${table.name}: ${String(rows)} of ${String(file.rows)} spooled rows arrived`,
    { hint: "run again; nothing of this load was committed", context: { table: table.name } },
  );
}

async function intoTable(
  { session, dialect }: Pick<Site, "session" | "dialect">,
  { table, mode }: Part,
  isFresh: boolean,
  staged: Staged | null,
  loadId: string,
): Promise<readonly Statement[]> {
  if (mode === "replace") return dialect.replace(table.name, staged, loadId);
  if (staged === null) return [];
  if (mode === "append" || table.primaryKey.length === 0) return dialect.append(staged, loadId);
  const hasRepeats = await asks(
    session,
    `looking at keys of ${table.name}`,
    dialect.findRepeats(staged),
  );
  const merge = { staged, loadId, skipsUnchanged: !isFresh, hasRepeats };
  // Into a table that is new or has new columns every row goes: nothing need be compared.
  const changes = isFresh ? null : dialect.countChanges(merge);
  if (changes === null) return dialect.merge(merge);
  const [count] = await session.query(`comparing rows of ${table.name}`, changes);
  // A table in which nothing changes is not touched: a statement on it may cost money.
  return Number(count?.["n"]) === 0 ? [] : dialect.merge(merge);
}

async function asks(session: Session, purpose: string, sql: string | null): Promise<boolean> {
  return sql !== null && (await session.query(purpose, sql)).length > 0;
}

function loadedTable(
  { table, mode, file, rejected, proof }: Part,
  staged: Staged | null,
): LoadedTable {
  return {
    stream: table.name,
    mode: table.primaryKey.length === 0 && mode === "merge" ? "append" : mode,
    staged: file?.rows ?? 0,
    rejected,
    proof: proof ?? null,
    relation: staged?.relation ?? null,
  };
}
