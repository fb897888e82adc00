import { join, resolve } from "node:path";

import { ConnectorError } from "../../core/errors.js";
import { Loader, type LoaderOptions } from "../loader.js";
import { sqlStore } from "../sql-store.js";
import { hold } from "./hold.js";
import { duckDbWarehouse } from "./warehouse.js";

/** A loader into a DuckDB file. */
export interface DuckDbLoaderOptions extends Omit<LoaderOptions, "store" | "spoolDir" | "hold"> {
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
  return new Loader({ ...rest, store: sqlStore(warehouse), spoolDir, hold });
}
