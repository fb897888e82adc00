import { ConnectorError } from "../core/errors.js";
import type { Refusal } from "../core/vanished.js";
import type { Dialect, LoadedTable, LoadRecord, Staged, Statement, Vanishing } from "./dialect.js";
import { evolve, schemaOf, type Evolution, type Schema } from "./evolve.js";
import type { Manifest, Part } from "./manifest.js";
import { inScopes } from "./scopes.js";
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

/** How a load is to be committed. */
export interface CommitOptions {
  /** Tables that have got columns in this run, to be added to: their rows are written even if they have not changed. */
  readonly widened: Set<string>;
  /** Largest part of a table's rows that may be marked as gone in a run, 0 to 1. */
  readonly maxVanishedRatio: number;
}

/**
 * Commits a sealed package: rows, rejected rows, state and the record of the load in one
 * transaction. Changes nothing if the load is there already.
 *
 * @param open opens the session to work in; it is closed again.
 * @returns the tables in which no row was marked as gone because there were too many; their rows
 *   are in, their bookmarks are not.
 * @throws ConnectorError `locked` if another run moved the state meanwhile; `destination`.
 */
export async function commitPackage(
  warehouse: Warehouse,
  open: () => Promise<Session>,
  manifest: Manifest,
  record: LoadRecord,
  options: CommitOptions,
): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = [];
  try {
    await using session = await open();
    const { dialect } = warehouse;
    const schema = await prepareSchema(session, dialect);
    const site = { session, dialect, schema, refusals, ...options };
    const statements = await plan(site, manifest, record);
    await session.transact(statements, manifest.loadId);
  } catch (error) {
    // A connection may break after the warehouse has said yes to itself, and a load that was there
    // already finds the state moved, by itself: asking is the only way. By now the session is
    // closed: one process must not have a DuckDB file open twice.
    if (!(await hasArrived(warehouse, manifest.loadId))) throw error;
  }
  return refusals;
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
interface Site extends CommitOptions {
  readonly session: Session;
  readonly dialect: Dialect;
  readonly schema: Schema;
  /** Added to. */
  readonly refusals: Refusal[];
}

async function plan(
  site: Site,
  manifest: Manifest,
  record: LoadRecord,
): Promise<readonly Statement[]> {
  const { session, dialect, schema, refusals } = site;
  const { loadId, pipeline, from } = manifest;
  const evolutions = manifest.parts.map((part) => evolve(dialect, part.table, schema));
  const changes = evolutions.flatMap((evolution) => evolution.statements);
  const early = evolutions.flatMap((evolution) => evolution.own);
  if (!dialect.transactionalDdl) early.push(...changes);
  if (early.length > 0) await session.run(early);
  const rows: Statement[] = [];
  const loaded: LoadedTable[] = [];
  for (const [i, part] of manifest.parts.entries()) {
    const evolution = evolutions[i];
    if (evolution === undefined) continue;
    const { statements, table } = await partOf(site, manifest, part, evolution);
    rows.push(...statements);
    loaded.push(table);
  }
  for (const { stream, rejected } of manifest.withheld) {
    loaded.push({ stream, mode: "rejects", staged: 0, rejected, proof: null, relation: null });
  }
  if (manifest.rejects !== null) {
    const { relation } = await stage(session, REJECTS, manifest.rejects, loadId);
    rows.push(dialect.appendRejects(relation, loadId));
  }
  // With its bookmark a refused stream would not be read again, and nobody would ask again.
  const isRefused = (stream: string) => refusals.some((refusal) => refusal.stream === stream);
  const checkpoints = manifest.checkpoints.filter(({ stream }) => !isRefused(stream));
  const move = { pipeline, loadId, from, checkpoints, at: record.committedAt };
  return [
    ...dialect.moveState(move),
    ...(dialect.transactionalDdl ? changes : []),
    ...rows,
    ...dialect.recordLoad(record, loaded),
  ];
}

/** What brings a part into its table. */
async function partOf(
  site: Site,
  { loadId, startedAt }: Manifest,
  part: Part,
  evolution: Evolution,
): Promise<{ readonly statements: readonly Statement[]; readonly table: LoadedTable }> {
  const { session, widened } = site;
  const { table, isWider, isNew } = evolution;
  if (isWider) widened.add(table.name);
  const staged = part.file === null ? null : await stage(session, table, part.file, loadId);
  const isFresh = isNew || widened.has(table.name);
  const writing = await intoTable(site, part, isFresh, staged, loadId);
  const relation = staged?.relation ?? null;
  const { scopes = [] } = part;
  const marking = isNew ? [] : await vanish(site, part, { table, relation, scopes, at: startedAt });
  return {
    statements: [...marking, ...writing],
    table: loadedTable(part, writing.length === 0 ? null : staged),
  };
}

/** What marks the rows that have gone from the scopes that were read completely. */
async function vanish(
  { session, dialect, maxVanishedRatio, refusals }: Site,
  { mode }: Part,
  vanishing: Vanishing,
): Promise<readonly Statement[]> {
  const { table, scopes } = vanishing;
  if ((mode !== "merge" && mode !== "history") || table.primaryKey.length === 0) return [];
  // Asked for its answer only: whether there is a scope that concerns this table.
  if (inScopes(table, scopes, { quoted: String, literal: String }) === null) return [];
  const sql = dialect.countVanished(vanishing);
  const [count] = await session.query(`looking for what has gone from ${table.name}`, sql);
  const live = Number(count?.["live"]);
  const vanished = Number(count?.["vanished"]);
  if (vanished === 0) return [];
  if (vanished <= live * maxVanishedRatio) return [dialect.markVanished(vanishing)];
  refusals.push({ stream: table.name, vanished, live });
  return [];
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
  const how = mode === "history" ? dialect.history : dialect;
  // Into a table that is new or has new columns every row goes: nothing need be compared.
  const changes = isFresh ? null : how.countChanges(merge);
  if (changes === null) return how.merge(merge);
  const [count] = await session.query(`comparing rows of ${table.name}`, changes);
  // A table in which nothing changes is not touched: a statement on it may cost money.
  return Number(count?.["n"]) === 0 ? [] : how.merge(merge);
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
    mode: table.primaryKey.length === 0 && mode !== "replace" ? "append" : mode,
    staged: file?.rows ?? 0,
    rejected,
    proof: proof ?? null,
    relation: staged?.relation ?? null,
  };
}
