import type { Config, Destination } from "../config/schema.js";
import type { Emit } from "../core/events.js";
import type { Loader, LoaderOptions } from "../loaders/loader.js";
import type { Io } from "./io.js";
import { version } from "./version.js";

/**
 * Whose rows these are. Each keeps a state of its own; the demo's invented people and an account's
 * real ones must not end up in the same tables.
 */
export const PIPELINES = { account: "knowbe4", messages: "load", demo: "demo" } as const;

/** One of {@link PIPELINES}. */
export type Pipeline = (typeof PIPELINES)[keyof typeof PIPELINES];

/** What every loader is given, whichever destination it fills. */
export type Common = Omit<LoaderOptions, "store" | "spoolDir" | "hold">;

/** Makes the loader of the configured destination; connects to nothing yet. */
export async function openDestination(
  config: Config,
  world: {
    readonly io: Io;
    readonly emit: Emit;
    readonly pipeline?: Pipeline;
    /** Of a table's rows in a run; as set unless given. */
    readonly maxVanishedRatio?: number;
  },
): Promise<Loader> {
  const { destination } = config;
  const { io, emit, pipeline = PIPELINES.account } = world;
  const { maxVanishedRatio = destination.max_vanished_ratio } = world;
  return opened(destination, {
    mode: destination.mode,
    maxVanishedRatio,
    pipeline,
    strangers:
      pipeline === PIPELINES.demo ? [PIPELINES.account, PIPELINES.messages] : [PIPELINES.demo],
    clock: io.clock,
    random: io.random,
    emit,
    toolVersion: version(),
  });
}

/** One case per type: what it needs of the settings. Only the one that is used is imported. */
async function opened(destination: Destination, common: Common): Promise<Loader> {
  const { spool_dir: spoolDir } = destination;
  const shared = { ...common, ...(spoolDir === undefined ? {} : { spoolDir }) };
  switch (destination.type) {
    case "duckdb": {
      const { openDuckDb } = await import("../loaders/duckdb/index.js");
      const { path, schema, memory_limit: memoryLimit } = destination;
      return openDuckDb({ ...shared, path, schema, memoryLimit });
    }
    case "bigquery": {
      const { openBigQuery } = await import("../loaders/bigquery/index.js");
      return openBigQuery({ ...shared, settings: destination });
    }
    case "jsonl": {
      const { openJsonl } = await import("../loaders/jsonl/index.js");
      const { path, mode } = destination;
      return openJsonl({ ...shared, path, mode });
    }
    case "snowflake": {
      const { credentialsOf, openSnowflake } = await import("../loaders/snowflake/index.js");
      const { account, user, role, warehouse, database, schema } = destination;
      const { statement_timeout: statementSeconds, access_url: accessUrl } = destination;
      return openSnowflake({
        ...shared,
        ...{ account, user, warehouse, database, schema, statementSeconds },
        ...(role === undefined ? {} : { role }),
        ...(accessUrl === undefined ? {} : { accessUrl }),
        credentials: credentialsOf(destination),
      });
    }
  }
}

/** Where rows go, in one line and without asking the destination: for what is said beforehand. */
export function describeDestination(destination: Destination): string {
  switch (destination.type) {
    case "duckdb":
      return `duckdb ${destination.path}, schema ${destination.schema}`;
    case "bigquery":
      return `bigquery ${destination.project}.${destination.dataset}`;
    case "jsonl":
      return `jsonl ${destination.path}`;
    case "snowflake":
      return `snowflake ${destination.account}, schema ${destination.database}.${destination.schema}`;
  }
}
