import { rm } from "node:fs/promises";
import { join } from "node:path";

import { ConnectorError } from "../../core/errors.js";
import { DuckDBInstance } from "./engine.js";
import { failure } from "./failure.js";

/** What DuckDB says of a file that a crash left half made. */
const HALF_MADE = /not a valid DuckDB database|Could not read enough bytes|Corrupt database file/;

/**
 * Takes a folder, for loaders of every kind: a database of its own, in which nothing is ever
 * written. The system keeps others out of it, and lets go of it however the process ends.
 *
 * @throws ConnectorError `locked`, `destination`.
 */
export async function hold(folder: string): Promise<AsyncDisposable> {
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
