import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  DuckDBDateValue,
  DuckDBInstance,
  DuckDBTimestampTZValue,
  type DuckDBConnection,
} from "@duckdb/node-api";
import { onTestFinished } from "vitest";

import { iso } from "../../src/core/clock.js";
import { OBSERVED_AT, type Column } from "../../src/core/columns.js";
import { ConnectorError } from "../../src/core/errors.js";
import type { SyncEvent } from "../../src/core/events.js";
import type { ColumnType } from "../../src/core/fields.js";
import type { Json } from "../../src/core/json.js";
import type { SinkStream } from "../../src/core/ports.js";
import type { Checkpoint, Row } from "../../src/core/record.js";
import { duckDbWarehouse } from "../../src/loaders/duckdb/warehouse.js";
import { openDuckDb, type DuckDbLoaderOptions } from "../../src/loaders/duckdb/index.js";
import { Loader, type LoaderOptions } from "../../src/loaders/loader.js";
import { sqlStore } from "../../src/loaders/sql-store.js";
import type { Warehouse } from "../../src/loaders/warehouse.js";
import { parseExactly } from "../../src/protocols/singer/exact.js";
import { batch, checkpoint, ended, runInfo, running } from "../protocols/singer/support.js";
import { fakeClock, type FakeClock } from "../support/clock.js";

/** A folder that is removed after the test. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "loaders-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A DuckDB file that loaders fill, and its spool. */
export interface Desk {
  readonly path: string;
  readonly spool: string;
  readonly clock: FakeClock;
  /** What every loader of this desk has told. */
  readonly events: SyncEvent[];
  /** A loader that is disposed of after the test. */
  loader(options?: Partial<DuckDbLoaderOptions>): Loader;
  /** The same, opened. */
  opened(options?: Partial<DuckDbLoaderOptions>): Promise<Loader>;
  /** The same over a warehouse that may fail. */
  over(wrap: (real: Warehouse) => Warehouse, options?: Partial<LoaderOptions>): Loader;
  /** One run of its own: a stream read to its end, committed. */
  load(
    declared: SinkStream,
    rows: readonly Row[],
    options?: Partial<DuckDbLoaderOptions>,
  ): Promise<readonly Checkpoint[]>;
  /** Rows of a query, through a connection of its own: what others see. */
  query(sql: string): Promise<readonly Row[]>;
  /** What a person does to the file. */
  change(...statements: readonly string[]): Promise<void>;
  /** Loads that wait in the spool: names of folders. */
  waiting(): Promise<readonly string[]>;
  /** Texts of the warnings. */
  warnings(): readonly string[];
}

let seed = 0;

/** A desk of its own in a new folder, or in one that is given. */
export async function desk(at?: string): Promise<Desk> {
  const home = at ?? (await folder());
  const path = join(home, "it.duckdb");
  const spool = `${path}.spool`;
  const clock = fakeClock();
  const events: SyncEvent[] = [];
  const common = {
    pipeline: "knowbe4",
    strangers: [],
    mode: "merge" as const,
    clock,
    // No two loads alike, in whatever order the tests run.
    random: () => ((seed += 1) % 36 ** 6) / 36 ** 6,
    emit: (event: SyncEvent) => events.push(event),
    toolVersion: "0.0.0-test",
  };
  const kept = (loader: Loader): Loader => {
    onTestFinished(() => loader[Symbol.asyncDispose]());
    return loader;
  };
  const loader: Desk["loader"] = (options = {}) =>
    kept(openDuckDb({ ...common, path, schema: "knowbe4", memoryLimit: "128MB", ...options }));
  return {
    path,
    spool,
    clock,
    events,
    loader,
    opened: async (options) => {
      const made = loader(options);
      await made.open(runInfo(), running());
      return made;
    },
    over: (wrap, options = {}) => {
      const tempDir = join(spool, "tmp");
      const real = duckDbWarehouse({ path, schema: "knowbe4", memoryLimit: "128MB", tempDir });
      const hold = async () => ({ async [Symbol.asyncDispose]() {} });
      return kept(
        new Loader({ ...common, spoolDir: spool, hold, store: sqlStore(wrap(real)), ...options }),
      );
    },
    load: async (declared, rows, options) => {
      clock.advance(60_000);
      await using made = loader(options);
      await made.open(runInfo(), running());
      await made.declare(declared);
      const { name } = declared;
      const extractedAt = iso(clock.now());
      const told = [
        ...(await made.write(batch(name, rows, { checkpoint: checkpoint(name), extractedAt }))),
        ...(await made.end(ended(name))),
      ];
      return [...told, ...(await made.flush())];
    },
    query: (sql) => query(path, sql),
    change: (...statements) => change(path, statements),
    waiting: async () => {
      const names = await readdir(spool).catch(() => []);
      return names.filter((name) => /^[0-9a-z]{19}$/.test(name));
    },
    warnings: () => events.flatMap((e) => (e.type === "warning" ? [e.message] : [])),
  };
}

/** Rows of a query, through a connection of its own. */
async function query(path: string, sql: string): Promise<readonly Row[]> {
  return connected(path, { access_mode: "READ_ONLY" }, async (connection) => {
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run("SET search_path = 'knowbe4'");
    const reader = await connection.runAndReadAll(sql);
    const isJson = new Map(
      reader.columnNames().map((name, i) => [name, reader.columnType(i).alias === "JSON"]),
    );
    return reader
      .getRowObjects()
      .map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, asJson(value, isJson.get(name))]),
        ),
      );
  });
}

/** The file stays open until both are closed, the connection first. */
async function connected<T>(
  path: string,
  options: Record<string, string>,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(path, options);
  const connection = await instance.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A value as it stands in a row. */
function asJson(value: unknown, isJson: boolean | undefined): Json {
  if (value instanceof DuckDBTimestampTZValue) return iso(Number(value.micros / 1000n));
  if (value instanceof DuckDBDateValue) return value.toString();
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (isJson === true && typeof value === "string") return parseExactly(value) as Json;
  return value as Json;
}

async function change(path: string, statements: readonly string[]): Promise<void> {
  await connected(path, {}, async (connection) => {
    await connection.run("CREATE SCHEMA IF NOT EXISTS knowbe4");
    await connection.run("SET search_path = 'knowbe4'");
    for (const statement of statements) await connection.run(statement);
  });
}

/** A stream with columns of these types; the first one is its key unless told. */
export function stream(
  name: string,
  types: Readonly<Record<string, ColumnType>>,
  more: Partial<SinkStream> = {},
): SinkStream {
  const columns: readonly Column[] = Object.entries(types).map(([column, type]) => ({
    name: column,
    type,
    nullable: true,
    description: `The ${column}.`,
  }));
  return {
    name,
    description: `All ${name}.`,
    columns: [...columns, OBSERVED_AT],
    primaryKey: Object.keys(types).slice(0, 1),
    cursor: null,
    whole: true,
    ...more,
  };
}

/** People with an id and a name: what most tests load. */
export const PEOPLE = stream("people", { id: "integer", name: "string" });

/** What a promise was rejected with. */
export async function failure(work: Promise<unknown>): Promise<ConnectorError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

/** Makes this process somebody who may not do everything, if it is one who may. */
export function withoutPrivileges(): void {
  if (process.geteuid?.() !== 0) return;
  process.seteuid?.(65_534);
  onTestFinished(() => process.seteuid?.(0));
}
