import { join, resolve } from "node:path";

import { hold } from "../duckdb/hold.js";
import { Loader, type LoaderOptions } from "../loader.js";
import { sqlStore } from "../sql-store.js";
import type { BigQuerySettings } from "./client.js";
import { bigQueryWarehouse } from "./warehouse.js";

/** A loader into a dataset of BigQuery. */
export interface BigQueryLoaderOptions extends Omit<LoaderOptions, "store" | "spoolDir" | "hold"> {
  readonly settings: BigQuerySettings;
  /** `knowbe4.spool` unless given; the rows lie in a folder of it that is named like the dataset. */
  readonly spoolDir?: string;
  /** Most that one job may take, in milliseconds. */
  readonly patienceMs?: number;
}

/**
 * A loader into a dataset of BigQuery; connects to nothing yet.
 *
 * @throws ConnectorError `config`.
 */
export function openBigQuery(options: BigQueryLoaderOptions): Loader {
  const { settings, patienceMs, ...rest } = options;
  const { project, dataset } = settings;
  // Rows that wait for one dataset must not end up in another.
  const below = `bigquery-${project.replaceAll(":", "-")}-${dataset}`;
  const spoolDir = resolve(options.spoolDir ?? "knowbe4.spool", below);
  const warehouse = bigQueryWarehouse({
    settings,
    tempDir: join(spoolDir, "tmp"),
    clock: options.clock,
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  return new Loader({ ...rest, store: sqlStore(warehouse), spoolDir, hold });
}
