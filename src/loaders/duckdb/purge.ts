import { chmod, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

import type { DuckDBConnection } from "@duckdb/node-api";

import { ConnectorError } from "../../core/errors.js";
import { syncFolder } from "../jsonl/catalogue.js";
import { CATALOG } from "./dialect.js";

const FRESH = "kb4_fresh";

/**
 * Writes a database file anew: DuckDB leaves the bytes of deleted rows where they were. The file is
 * attached, for writing, so that nobody changes it meanwhile.
 *
 * @throws ConnectorError `destination`; the file is then as it was.
 */
export async function purge(place: string, connection: DuckDBConnection): Promise<void> {
  const path = await realpath(place);
  const draft = `${path}.fresh`;
  const quoted = draft.replaceAll("'", "''");
  try {
    await rm(draft, { force: true });
    await connection.run(`CHECKPOINT ${CATALOG}`);
    await connection.run(`ATTACH '${quoted}' AS ${FRESH} (TYPE duckdb)`);
    await connection.run(`COPY FROM DATABASE ${CATALOG} TO ${FRESH}`);
    await connection.run(`DETACH ${FRESH}`);
    await chmod(draft, (await stat(path)).mode);
    await using file = await open(draft, "r+");
    await file.sync();
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new ConnectorError(
      "destination",
      `destination ${place}: the rows are taken out, but their bytes are still in the file`,
      {
        hint: "make room for a second copy of the file, and run it again: it is written anew then",
        context: { path: place },
        cause: error,
      },
    );
  }
}
