import { resolve } from "node:path";

import { hold } from "../duckdb/hold.js";
import { Loader, type LoaderOptions } from "../loader.js";
import type { Mode } from "../table.js";
import { jsonlStore } from "./store.js";

/** A loader into a folder of files. */
export interface JsonlLoaderOptions extends Omit<
  LoaderOptions,
  "store" | "spoolDir" | "hold" | "mode"
> {
  /** Rows that go are not marked in files, so no version would ever end by that: no history. */
  readonly mode: Exclude<Mode, "history">;
  readonly path: string;
  /** Beside the folder unless given. */
  readonly spoolDir?: string;
}

/** A loader into a folder of files; touches nothing yet. */
export function openJsonl(options: JsonlLoaderOptions): Loader {
  const { path, ...rest } = options;
  const spoolDir = resolve(options.spoolDir ?? `${path}.spool`);
  return new Loader({ ...rest, store: jsonlStore(path), spoolDir, hold });
}
