import { createRequire } from "node:module";
import type * as DuckDb from "@duckdb/node-api";

/**
 * DuckDB itself. Required, not imported: it is CommonJS in many small files, and importing looks through
 * each of them for names first, which takes longer than running them.
 */
const { DuckDBInstance } = createRequire(import.meta.url)("@duckdb/node-api") as typeof DuckDb;
type DuckDBInstance = DuckDb.DuckDBInstance;

export { DuckDBInstance };
