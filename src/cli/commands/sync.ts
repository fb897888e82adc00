import type { Command } from "commander";

import type { Config } from "../../config/schema.js";
import { makePlan } from "../../core/plan.js";
import { EMPTY_STATE } from "../../core/state.js";
import type { SyncResult } from "../../core/sync.js";
import { STREAMS } from "../../../streams/index.js";
import { closingTable } from "../closing.js";
import { describeDestination, openDestination, type Pipeline } from "../destination.js";
import { counted, grouped } from "../format.js";
import type { Io } from "../io.js";
import { logOf } from "../program.js";
import { liveProgress, plainProgress } from "../progress.js";
import { planOf, runPlan, selectStreams } from "../run.js";
import { exitCodeOf, listenToSignals } from "../signals.js";
import { realSource } from "../source.js";
import { Tally } from "../tally.js";
import { configOf, streamList, withConfigFlags, type ConfigFlags } from "./common.js";

interface SyncFlags extends ConfigFlags {
  readonly streams?: readonly string[];
  readonly fullRefresh?: boolean;
  readonly dryRun?: boolean;
  readonly allowVanished?: boolean;
  /** Whose rows they are; the account's unless given. */
  readonly pipeline?: Pipeline;
}

/** `knowbe4 sync`: the API into the destination, the state kept there. */
export function addSync(program: Command, io: Io, done: (code: number) => void): void {
  withConfigFlags(program.command("sync"))
    .description(
      "read the account into the destination; what an earlier run read is not read again",
    )
    .option("--streams <names>", "only these streams, separated by commas", streamList)
    .option("--full-refresh", "read everything, whatever earlier runs got to")
    .option(
      "--allow-vanished",
      "mark rows as deleted that are not there any more, however many (see destination.max_vanished_ratio)",
    )
    .option("--dry-run", "say what would be read and written, and do neither")
    .action(async (flags: SyncFlags) => {
      const config = configOf(io, flags);
      if (flags.dryRun === true) dryRun(io, config, flags);
      else done(await syncToDestination(io, config, flags));
    });
}

/** One run into the destination, with progress and a closing table on stderr. */
export async function syncToDestination(io: Io, config: Config, flags: SyncFlags): Promise<number> {
  const log = logOf("knowbe4", io, flags);
  const tally = new Tally(() => io.clock.monotonic());
  const isLive = io.stderr.isTTY === true && log.format === "text" && log.level !== "silent";
  const progress = isLive
    ? liveProgress(io.stderr, log, tally, () => io.clock.monotonic())
    : plainProgress(log, tally);
  const emit: Parameters<typeof openDestination>[1]["emit"] = (event) => {
    tally.add(event);
    progress.event(event);
  };
  using signals = listenToSignals((name) => {
    log.line("warning", `${name}: finishing what is safe to keep; once more to stop at once`);
  });
  const startedMs = io.clock.monotonic();
  // First: an address that must not be asked is a reason to make no file.
  const account = realSource(config, io, emit);
  const loader = await openDestination(config, {
    io,
    emit,
    ...(flags.pipeline === undefined ? {} : { pipeline: flags.pipeline }),
    ...(flags.allowVanished === true ? { maxVanishedRatio: 1 } : {}),
  });
  let result: SyncResult;
  try {
    await loader.prepare();
    const state = await loader.readState();
    // A table can only be replaced by the whole stream.
    const refresh = flags.fullRefresh === true || config.destination.mode === "replace";
    const plan = planOf(
      config,
      selectStreams(flags.streams, () => refresh),
      state,
    );
    const source = account.pages(state);
    result = await runPlan({ io, config, plan, source, sink: loader, signals, emit });
  } finally {
    progress.close();
    await loader[Symbol.asyncDispose]();
  }
  const tookMs = io.clock.monotonic() - startedMs;
  if (log.format === "text" && log.level !== "silent") {
    io.stderr.write(`\n${closingTable(tally, tookMs)}\n\n`);
  }
  if (result.error === undefined || tally.committedRows > 0) {
    const rows = counted(tally.committedRows, "row");
    log.line("info", `${rows} committed to ${loader.place}`);
  }
  if (result.error !== undefined) {
    for (const { error, status } of result.outcomes) {
      if (error !== undefined && status === "failed") log.failure(error);
    }
    if (!result.outcomes.some((o) => o.status === "failed")) log.failure(result.error);
  }
  return exitCodeOf(result.error);
}

function dryRun(io: Io, config: Config, flags: SyncFlags): void {
  const plan = makePlan(
    STREAMS,
    selectStreams(flags.streams, () => false),
    EMPTY_STATE,
  );
  const { destination } = config;
  io.stdout.write(`destination  ${describeDestination(destination)}, mode ${destination.mode}\n`);
  for (const { def, emit } of plan.streams) {
    const how = emit ? def.replication.mode : "read for others, not written";
    io.stdout.write(`${def.name.padEnd(28)} GET ${def.path}  (${how})\n`);
  }
  io.stdout.write(`${grouped(plan.streams.length)} streams; nothing was read or written\n`);
}
