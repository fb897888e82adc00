import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import { DuckDBInstance } from "@duckdb/node-api";

import { ConnectorError } from "../../core/errors.js";
import { Loader, type LoaderOptions } from "../loader.js";
import { failure } from "./failure.js";
import { duckDbWarehouse } from "./warehouse.js";

/** A loader into a DuckDB file. */
export interface DuckDbLoaderOptions extends Omit<
  LoaderOptions,
  "warehouse" | "spoolDir" | "hold"
> {
  readonly path: string;
  readonly schema: string;
  readonly memoryLimit: string;
  /** Beside the database file unless given. */
  readonly spoolDir?: string;
}

/**
 * A loader into a DuckDB file; touches nothing yet.
 *
 * @throws ConnectorError `config` for a database that is no file.
 */
export function openDuckDb(options: DuckDbLoaderOptions): Loader {
  const { schema, memoryLimit, ...rest } = options;
  if (options.path === ":memory:" || /^\w{2,}:/.test(options.path)) {
    throw new ConnectorError("config", `destination.path: "${options.path}" is not a file`, {
      hint: "name a file, as knowbe4.duckdb",
    });
  }
  const path = resolve(options.path);
  const spoolDir = options.spoolDir === undefined ? `${path}.spool` : resolve(options.spoolDir);
  const tempDir = join(spoolDir, "tmp");
  const warehouse = duckDbWarehouse({ path: options.path, schema, memoryLimit, tempDir });
  return new Loader({ ...rest, warehouse, spoolDir, hold });
}

/** What DuckDB says of a file that a crash left half made. */
const HALF_MADE = /not a valid DuckDB database|Could not read enough bytes|Corrupt database file/;

/** A database of its own, in which nothing is ever written: the system keeps others out of it. */
async function hold(folder: string): Promise<AsyncDisposable> {
  const path = join(folder, "lock.duckdb");
  const open = () => DuckDBInstance.create(path, { threads: "1", memory_limit: "16MB" });
  let instance: DuckDBInstance;
  try {
    instance = await open();
  } catch (error) {
    const fault = failure(folder, "taking the lock", error);
    if (fault.kind === "locked") throw fault;
    if (!HALF_MADE.test(String(error))) {
      const hint = "set destination.spool_dir to a folder that can be written";
      throw new ConnectorError("destination", fault.message, { hint, cause: error });
    }
    await rm(path, { force: true });
    instance = await open();
  }
  return {
    async [Symbol.asyncDispose]() {
      instance.closeSync();
      await Promise.resolve();
    },
  };
}
