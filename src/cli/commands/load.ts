import type { Command } from "commander";

import type { Config } from "../../config/schema.js";
import { ConnectorError } from "../../core/errors.js";
import type { SyncEvent } from "../../core/events.js";
import { closingTable } from "../closing.js";
import { openDestination, PIPELINES } from "../destination.js";
import { counted } from "../format.js";
import type { Io } from "../io.js";
import { loadMessages } from "../load/messages.js";
import { logOf } from "../program.js";
import { plainProgress } from "../progress.js";
import { refusePrivacy } from "../privacy.js";
import { newRunId } from "../run.js";
import { exitCodeOf, listenToSignals } from "../signals.js";
import { Tally } from "../tally.js";
import { configOf, withConfigFlags, type ConfigFlags } from "./common.js";

/** `knowbe4 load`: messages of any Singer tap into the destination. */
export function addLoad(program: Command, io: Io, done: (code: number) => void): void {
  withConfigFlags(program.command("load"))
    .description("read Singer messages from standard input into the destination")
    .action(async (flags: ConfigFlags) => {
      const config = configOf(io, flags, { withoutKey: true });
      requireUsable(config, flags);
      refusePrivacy(config, "load");
      done(await load(io, config, flags));
    });
}

function requireUsable(config: Config, flags: ConfigFlags): void {
  if (flags.config?.includes("-") === true) {
    throw new ConnectorError(
      "config",
      "load: --config - and the messages both need standard input",
      {
        hint: "put the configuration into a file or into TAP_KNOWBE4_* variables",
      },
    );
  }
  if (config.destination.mode === "replace") {
    throw new ConnectorError("config", "load: destination.mode replace needs whole streams", {
      hint: "use merge or append: the end of the input does not tell whether the tap had finished",
    });
  }
}

async function load(io: Io, config: Config, flags: ConfigFlags): Promise<number> {
  const log = logOf("knowbe4", io, flags);
  const tally = new Tally(() => io.clock.monotonic());
  const progress = plainProgress(log, tally);
  const emit = (event: SyncEvent): void => {
    tally.add(event);
    progress.event(event);
  };
  using signals = listenToSignals((name) => {
    log.line("warning", `${name}: keeping what the tap's last state covers`);
  });
  const startedMs = io.clock.monotonic();
  await using loader = await openDestination(config, { io, emit, pipeline: PIPELINES.messages });
  const state = await loader.prepare();
  const error = await loadMessages({
    input: io.stdin,
    sink: loader,
    state,
    runId: newRunId(io),
    clock: io.clock,
    maxRejects: config.max_rejects,
    emit,
    stop: signals.stop,
    kill: signals.kill,
    acknowledge: (state) => io.stdout.write(`${state}\n`),
  });
  // A tap that still writes would wait for us for ever, and we for it: now its pipe breaks.
  io.stdin.destroy();
  if (log.format === "text" && log.level !== "silent") {
    io.stderr.write(`\n${closingTable(tally, io.clock.monotonic() - startedMs)}\n\n`);
  }
  if (error !== undefined) log.failure(error);
  log.line("info", `${counted(tally.committedRows, "row")} committed to ${loader.place}`);
  return exitCodeOf(error);
}
