import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import ts from "typescript";

import { measure, pathTo, startServer, type Usage } from "./children.js";
import { temporaryFolder, type Folder } from "./folder.js";

/** The streams that the server has long listings of: their pages are what the bare loop reads too. */
export const LONG_STREAMS = ["users", "enrollments", "security_test_recipients"] as const;

/** The Singer tap, as it is shipped. */
export const TAP = pathTo("dist/bin/tap-knowbe4.js");

/** The Airbyte source, as it is shipped. */
export const SOURCE = pathTo("dist/bin/source-knowbe4.js");

/** The command line, as it is shipped. */
export const KNOWBE4 = pathTo("dist/bin/knowbe4.js");

/** The programs that are compared; all read the same account from the same server. */
export interface Programs {
  readonly bareLoop: () => Promise<Usage>;
  /** To /dev/null. */
  readonly tap: () => Promise<Usage>;
  /** The same under the preset that hashes. */
  readonly pseudonymousTap: () => Promise<Usage>;
  /** The Airbyte source, to /dev/null. */
  readonly read: () => Promise<Usage>;
  /** A first sync, into a new DuckDB file. */
  readonly sync: () => Promise<Usage>;
}

/**
 * Starts a server and does something with the programs that read from it.
 *
 * @param rows of the account, a multiple of 10,000.
 */
export async function withPrograms<T>(
  rows: number,
  streams: readonly string[],
  work: (programs: Programs) => Promise<T>,
): Promise<T> {
  await using server = await startServer(rows);
  await using folder = await temporaryFolder();
  const loop = await bareLoop(folder);
  const path = join(folder.path, "bench.duckdb");
  const settings = { ...settingsFor(server.url, "none"), destination: { path } };
  const config = await folder.write("config.json", settings);
  const privacy = { preset: "pseudonymous", key: "a key of the benchmark" };
  const hashing = await folder.write("hashing.json", { ...settings, privacy });
  const catalog = await folder.write("catalog.json", catalogOf(streams));
  const configured = await folder.write("configured.json", configuredOf(streams));
  return await work({
    bareLoop: () => measure([loop, server.url, ...server.paths]),
    tap: () => measure([TAP, "--config", config, "--catalog", catalog]),
    pseudonymousTap: () => measure([TAP, "--config", hashing, "--catalog", catalog]),
    read: () => measure([SOURCE, "read", "--config", config, "--catalog", configured]),
    sync: async () => {
      await rm(path, { force: true });
      return measure([KNOWBE4, "sync", "--config", config, "--streams", streams.join(",")]);
    },
  });
}

/** Settings for a server on this machine: the only limit is how fast the programs are. */
export function settingsFor(url: string, apiKey: string): Readonly<Record<string, unknown>> {
  const off = { per_second: 0, per_minute: 0, per_day: 0 };
  return { api_key: apiKey, api_url: url, rate_limit: off };
}

function catalogOf(streams: readonly string[]): object {
  return {
    streams: streams.map((stream) => ({
      tap_stream_id: stream,
      stream,
      schema: { type: "object" },
      metadata: [{ breadcrumb: [], metadata: { selected: true } }],
    })),
  };
}

function configuredOf(streams: readonly string[]): object {
  return {
    streams: streams.map((name) => ({
      stream: { name, json_schema: {}, supported_sync_modes: ["full_refresh"] },
      sync_mode: "full_refresh",
      destination_sync_mode: "overwrite",
    })),
  };
}

/** The bare loop as JavaScript, so that nothing but Node has to be loaded to run it. */
async function bareLoop(folder: Folder): Promise<string> {
  const source = await readFile(pathTo("bench/bare-loop.ts"), "utf8");
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  return folder.write("bare-loop.mjs", outputText);
}
