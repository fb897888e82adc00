import { parse } from "node:path";

import type { Command } from "commander";

import type { JsonObject } from "../../core/json.js";
import { fileName, wholeNumber } from "../arguments.js";
import { counted } from "../format.js";
import type { Io } from "../io.js";
import { PIPELINES } from "../destination.js";
import { withLogFlags, type LogFlags } from "../program.js";
import { configOf } from "./common.js";

interface DemoFlags extends LogFlags {
  readonly path: string;
  readonly users: number;
}

const SCHEMA = "knowbe4";

/** `knowbe4 demo`: a simulated account into a DuckDB file, and what can be asked of it. */
export function addDemo(program: Command, io: Io, done: (code: number) => void): void {
  withLogFlags(program.command("demo"))
    .description("sync a simulated account into a DuckDB file; needs no account and no network")
    .option("--path <file>", "the file", fileName, "knowbe4.duckdb")
    .option("--users <n>", "people in the account, 1 to 50,000", wholeNumber(1, 50_000), 1_000)
    .action(async (flags: DemoFlags) => {
      done(await demo(flags, io));
    });
}

/** DuckDB names a database like its file. The name is needed: the schema's alone may be ambiguous. */
function catalogOf(path: string): string {
  return parse(path).name;
}

async function demo(flags: DemoFlags, io: Io): Promise<number> {
  const { startSimulator } = await import("../../simulator/index.js");
  const { syncToDestination } = await import("./sync.js");
  const { STREAMS } = await import("../../../streams/index.js");
  const { askAll } = await import("../demo/ask.js");
  const { users } = flags;
  await using simulator = await startSimulator({ users });
  const people = counted(users, "person").replace("persons", "people");
  io.stderr.write(`A simulated account of ${people} is at ${simulator.url}.\n\n`);
  const overrides: JsonObject = {
    api_key: simulator.apiKey,
    api_url: simulator.url,
    // The limits protect KnowBe4's API; this one is ours.
    rate_limit: { per_second: 0, per_minute: 0, per_day: 0 },
    destination: { type: "duckdb", path: flags.path, schema: SCHEMA },
  };
  // A demo is the same on every machine, whatever is set there for the real thing.
  const config = configOf({ ...io, env: {} }, {}, { overrides });
  const streams = STREAMS.map((s) => s.name);
  const code = await syncToDestination(io, config, { ...flags, streams, pipeline: PIPELINES.demo });
  if (code !== 0) return code;
  io.stdout.write(await askAll(flags.path, SCHEMA));
  io.stdout.write(`\nThe file is ${flags.path}. Ask it more with DuckDB's own command line:\n\n`);
  io.stdout.write(
    `  duckdb ${flags.path} "from ${catalogOf(flags.path)}.${SCHEMA}.users limit 5"\n\n`,
  );
  io.stdout.write(
    `With a key of your own, the same program reads your account, into a file of its own:\n\n`,
  );
  io.stdout.write(
    `  TAP_KNOWBE4_API_KEY=... TAP_KNOWBE4_DESTINATION_PATH=account.duckdb npx knowbe4 sync\n`,
  );
  return 0;
}
