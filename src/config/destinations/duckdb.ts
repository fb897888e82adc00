import { z } from "zod";

import { COMMON, kind, spoolDir, text } from "../parts.js";

/** `destination` of type `duckdb`. */
export const duckdb = z
  .strictObject({
    type: kind("duckdb", "An embedded DuckDB database file."),
    path: text("Database file", "File of the database; made if it does not exist.").default(
      "knowbe4.duckdb",
    ),
    schema: text("Schema", "Schema that holds the tables.").default("knowbe4"),
    ...COMMON,
    spool_dir: spoolDir("beside the database file unless given"),
    memory_limit: z
      .string()
      .regex(/^\d+(MB|GB)$/)
      .default("128MB")
      .meta({
        title: "Memory limit",
        description: "Most memory that DuckDB may use, as 128MB or 1GB.",
      }),
  })
  .meta({ title: "DuckDB", description: "The embedded default." });
