import type { Config } from "../config/schema.js";
import type { Emit } from "../core/events.js";
import type { Loader } from "../loaders/loader.js";
import type { Io } from "./io.js";
import { version } from "./version.js";

/**
 * Whose rows these are. Each keeps a state of its own; the demo's invented people and an account's
 * real ones must not end up in the same tables.
 */
export const PIPELINES = { account: "knowbe4", messages: "load", demo: "demo" } as const;

/** One of {@link PIPELINES}. */
export type Pipeline = (typeof PIPELINES)[keyof typeof PIPELINES];

/** Makes the loader of the configured destination; connects to nothing yet. */
export async function openDestination(
  config: Config,
  world: { readonly io: Io; readonly emit: Emit; readonly pipeline?: Pipeline },
): Promise<Loader> {
  const { destination } = config;
  const { io, emit, pipeline = PIPELINES.account } = world;
  const { openDuckDb } = await import("../loaders/duckdb/index.js");
  return openDuckDb({
    path: destination.path,
    schema: destination.schema,
    mode: destination.mode,
    memoryLimit: destination.memory_limit,
    ...(destination.spool_dir === undefined ? {} : { spoolDir: destination.spool_dir }),
    pipeline,
    strangers:
      pipeline === PIPELINES.demo ? [PIPELINES.account, PIPELINES.messages] : [PIPELINES.demo],
    clock: io.clock,
    random: io.random,
    emit,
    toolVersion: version(),
  });
}
