import { existsSync, readFileSync } from "node:fs";

import type { Command } from "commander";

import { readJson } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { ConnectorError } from "../core/errors.js";
import type { SyncEvent } from "../core/events.js";
import type { Selection } from "../core/plan.js";
import { EMPTY_STATE, parseState, type State } from "../core/state.js";
import { configOf, withConfigFlags, type ConfigFlags } from "./commands/common.js";
import type { Io } from "./io.js";
import { logOf, newCommand, runProgram } from "./program.js";
import { plainProgress } from "./progress.js";
import { exitCodeOf, listenToSignals } from "./signals.js";
import { Tally, type StreamTally } from "./tally.js";
import { version } from "./version.js";

const NAME = "tap-knowbe4";

/** What `--test` may be given. */
const TESTS = ["all", "schema"] as const;

interface TapFlags extends ConfigFlags {
  readonly catalog?: string;
  readonly properties?: string;
  readonly state?: string;
  readonly discover?: boolean;
  readonly about?: boolean;
  readonly format?: string;
  readonly test?: string | boolean;
}

/** The Singer tap: one command without subcommands, messages on stdout, everything else on stderr. */
export async function tapKnowbe4(argv: readonly string[], io: Io): Promise<void> {
  await runProgram(NAME, argv, io, async () => {
    let code = 0;
    const command = tapCommand(io).action(async (flags: TapFlags) => {
      code = await run(flags, io);
    });
    await command.parseAsync([...argv], { from: "user" });
    return code;
  });
}

function tapCommand(io: Io): Command {
  return withConfigFlags(newCommand(NAME, io))
    .description("Singer tap for KnowBe4's Reporting API")
    .version(`${NAME} v${version()}`, "--version", "show the version")
    .option("--catalog <file>", "catalog with the selection; the default streams without one")
    .option("-p, --properties <file>", "the same, as older runners pass it")
    .option("-s, --state <file>", "state to continue from")
    .option("-d, --discover", "print the catalog; needs no configuration and no network")
    .option("--about", "say what this tap can do and which settings it takes")
    .option("--format <format>", "of --about: text, json or markdown")
    .option("--test [kind]", "all: one row of every stream; schema: the schemas only");
}

async function run(flags: TapFlags, io: Io): Promise<number> {
  if (flags.about === true) return about(flags, io);
  if (flags.discover === true) return discover(io, flags);
  const test = testKind(flags);
  const selections = await selectionsOf(flags, test !== undefined);
  const state = stateOf(flags);
  const config = configOf(io, flags);
  return replicate(flags, io, { config, selections, state, test });
}

async function about(flags: TapFlags, io: Io): Promise<number> {
  const format = flags.format ?? "text";
  if (format !== "text" && format !== "json" && format !== "markdown") {
    throw new ConnectorError("config", `--format ${format}: must be text, json or markdown`);
  }
  const { aboutTap } = await import("./about.js");
  io.stdout.write(aboutTap(format));
  return 0;
}

/**
 * Prints the Singer catalog of all streams. Needs no configuration; one that is there may have
 * settings that change columns. Runners name files that are not there yet.
 */
export async function discover(io: Io, flags: ConfigFlags): Promise<number> {
  const { catalogText } = await import("../protocols/singer/catalog.js");
  const { STREAMS } = await import("../../streams/index.js");
  const { SINGER_DELETED } = await import("../protocols/deleted.js");
  const { columnsUnder } = await import("./deleted.js");
  const files = (flags.config ?? []).filter((f) => f === "-" || f === "ENV" || existsSync(f));
  const config = configOf(io, { ...flags, config: files }, { withoutKey: true });
  io.stdout.write(catalogText(STREAMS, columnsUnder(config, { style: SINGER_DELETED })));
  return 0;
}

/** @param isTest without a catalog a test is one of all streams, also of those that are off. */
async function selectionsOf(flags: TapFlags, isTest: boolean): Promise<readonly Selection[]> {
  const { defaultSelection, readSelection } = await import("../protocols/singer/selection.js");
  const { STREAMS } = await import("../../streams/index.js");
  const path = flags.catalog ?? flags.properties;
  if (path === undefined) {
    return defaultSelection(STREAMS.map((s) => (isTest ? { ...s, selectedByDefault: true } : s)));
  }
  const catalog = readJson(path, () => readFileSync(path, "utf8"));
  return readSelection(catalog, STREAMS, path);
}

function stateOf(flags: TapFlags): State {
  const path = flags.state;
  if (path === undefined) return EMPTY_STATE;
  try {
    return parseState(
      readJson(path, () => readFileSync(path, "utf8")),
      path,
    );
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind === "state") throw error;
    const message = error.message.replace(/^config: /, "state: ");
    throw new ConnectorError("state", message, {
      hint: "pass {} for a full first run",
      cause: error,
    });
  }
}

function testKind(flags: TapFlags): "all" | "schema" | undefined {
  if (flags.test === undefined || flags.test === false) return undefined;
  const kind = flags.test === true ? "all" : TESTS.find((t) => t === flags.test);
  if (kind !== undefined) return kind;
  throw new ConnectorError("config", `--test=${String(flags.test)}: must be all or schema`);
}

async function replicate(
  flags: TapFlags,
  io: Io,
  job: {
    readonly config: Config;
    readonly selections: readonly Selection[];
    readonly state: State;
    readonly test: "all" | "schema" | undefined;
  },
): Promise<number> {
  const { realSource } = await import("./source.js");
  const { planOf, runPlan } = await import("./run.js");
  const { SingerWriter } = await import("../protocols/singer/writer.js");
  const { SINGER_DELETED } = await import("../protocols/deleted.js");
  const { tellingDeletions } = await import("./deleted.js");
  const { firstRows, noRows, withoutState } = await import("./test-mode.js");
  const log = logOf(NAME, io, flags);
  const tally = new Tally(() => io.clock.monotonic());
  const progress = plainProgress(log, tally);
  const emit = (event: SyncEvent): void => {
    tally.add(event);
    progress.event(event);
    if (event.type !== "stream_finished") return;
    const done = tally.streams.get(event.outcome.stream);
    if (done !== undefined) for (const metric of metricsOf(done)) log.metric(metric);
  };
  using signals = listenToSignals((name) => {
    log.line("warning", `${name}: stopping after what is on its way; once more to stop at once`);
  });
  const { config, selections, state, test } = job;
  const plan = planOf(config, selections, state);
  const real = realSource(config, io, emit).pages(state);
  const lines = new SingerWriter(io.stdout);
  const writer = tellingDeletions(lines, config, { style: SINGER_DELETED });
  const source = test === undefined ? real : test === "schema" ? noRows(real) : firstRows(real);
  const sink = test === undefined ? writer : withoutState(writer);
  const result = await runPlan({ io, config, plan, source, sink, signals, emit });
  if (result.error === undefined || result.error.context["signal"] === "SIGPIPE") {
    return exitCodeOf(result.error);
  }
  const failed = result.outcomes.filter((o) => o.status === "failed");
  for (const { error } of failed) if (error !== undefined) log.failure(error);
  if (failed.length === 0) log.failure(result.error);
  return exitCodeOf(result.error);
}

function metricsOf(tally: StreamTally) {
  const tags = { stream: tally.stream, status: tally.status };
  return [
    { type: "counter", metric: "record_count", value: tally.rows, tags },
    { type: "counter", metric: "http_request_count", value: tally.requests, tags },
    { type: "timer", metric: "sync_duration", value: tally.tookMs / 1000, tags },
  ] as const;
}
