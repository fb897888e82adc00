import { resolve } from "node:path";

import { hold } from "../duckdb/hold.js";
import { Loader, type LoaderOptions } from "../loader.js";
import { sqlStore } from "../sql-store.js";
import { nameOf } from "./names.js";
import type { SnowflakeOptions } from "./options.js";
import type { Cutting } from "./upload.js";
import { snowflakeWarehouse } from "./warehouse.js";

export { credentialsOf } from "./options.js";

/** A loader into a schema of Snowflake. */
export interface SnowflakeLoaderOptions
  extends SnowflakeOptions, Omit<LoaderOptions, "store" | "spoolDir" | "hold"> {
  /** In the working folder unless given, named like the schema. */
  readonly spoolDir?: string;
  readonly cutting?: Cutting;
}

/**
 * A loader into a schema of Snowflake; touches nothing yet.
 *
 * @throws ConnectorError `config` for an account or an address that cannot be one.
 */
export function openSnowflake(options: SnowflakeLoaderOptions): Loader {
  const { clock, emit, mode } = options;
  const warehouse = snowflakeWarehouse(options, {
    clock,
    mode,
    warn: (message) => emit({ type: "warning", stream: null, message }),
    ...(options.cutting === undefined ? {} : { cutting: options.cutting }),
  });
  const spoolDir = resolve(options.spoolDir ?? spoolName(options));
  return new Loader({ ...options, store: sqlStore(warehouse), spoolDir, hold });
}

/** Rows that wait are those of one schema: no other run may find them. */
function spoolName({ account, database, schema }: SnowflakeOptions): string {
  const words = [account, nameOf(database), nameOf(schema)];
  return `${words.join("-").replace(/[^\w.-]+/g, "_")}.spool`;
}
