import { readFileSync } from "node:fs";

import type { Command } from "commander";

import { readJson } from "../../config/load.js";
import type { Config } from "../../config/schema.js";
import { EMPTY_STATE, parseState, type State } from "../../core/state.js";
import { oneOf } from "../arguments.js";
import { textTable } from "../closing.js";
import { openDestination } from "../destination.js";
import { counted, grouped } from "../format.js";
import type { Io } from "../io.js";
import { estimate, type Cost, type Estimate } from "../plan.js";
import { logOf } from "../program.js";
import { planOf, selectStreams } from "../run.js";
import { listenToSignals } from "../signals.js";
import { realSource } from "../source.js";
import { configOf, streamList, withConfigFlags, type ConfigFlags } from "./common.js";

interface PlanFlags extends ConfigFlags {
  readonly streams?: readonly string[];
  readonly state?: string;
  readonly format: (typeof FORMATS)[number];
}

const FORMATS = ["text", "json"] as const;

/** `knowbe4 plan`: what a sync would take, for at most two requests. */
export function addPlan(program: Command, io: Io): void {
  withConfigFlags(program.command("plan"))
    .description("say how many requests, minutes and days a sync takes; asks twice at most")
    .option("--streams <names>", "only these streams, separated by commas", streamList)
    .option("-s, --state <file>", "state to count with; the destination's unless given")
    .option("--format <format>", `of the output: ${FORMATS.join(" or ")}`, oneOf(FORMATS), "text")
    .action(async (flags: PlanFlags) => {
      const config = configOf(io, flags);
      const log = logOf("knowbe4", io, flags);
      using signals = listenToSignals(() => undefined);
      const state = await stateOf(flags, config, io);
      const source = realSource(config, io, (event) => {
        if (event.type === "warning") log.line("warning", event.message);
      });
      const plan = planOf(
        config,
        selectStreams(flags.streams, () => false),
        state,
      );
      const made = await estimate({ io, config, plan, source, state, signal: signals.stop });
      for (const warning of made.warnings) log.line("warning", warning);
      const json = JSON.stringify(made, (_, v: unknown) => (v === Infinity ? null : v), 2);
      io.stdout.write(flags.format === "json" ? `${json}\n` : textOf(made));
    });
}

async function stateOf(flags: PlanFlags, config: Config, io: Io): Promise<State> {
  const { state: path } = flags;
  if (path !== undefined) {
    const value = readJson(path, () => readFileSync(path, "utf8"));
    return parseState(value, path);
  }
  await using loader = await openDestination(config, { io, emit: () => undefined });
  return (await loader.exists()) ? await loader.readState() : EMPTY_STATE;
}

function textOf({ streams, first, next, quota, counted: isCounted }: Estimate): string {
  const head = ["stream", "rows", "first sync", "next run"];
  const rows = streams.map((s) => [s.stream, s.first.rows, s.first.requests, s.next.requests]);
  const table = textTable(head, [...rows, ["total", first.rows, first.requests, next.requests]]);
  const day = quota.per_day === null ? "without a limit" : `of ${grouped(quota.per_day)} a day`;
  const left = quota.left_today === null ? "" : `, ${grouped(quota.left_today)} left now`;
  const basis = isCounted ? "rows as an earlier run counted them" : "rows as in a usual account";
  return [
    table,
    "",
    `first sync  ${span(first)}`,
    `next run    ${span(next)}`,
    `quota       ${day}${left}; ${basis}`,
    "",
  ].join("\n");
}

function span({ requests, minutes, days }: Cost): string {
  const number = Number.isFinite(days) ? counted(days, "day") : "more days than there are";
  return `${counted(requests, "request")}, ${counted(minutes, "minute")}, ${number}`;
}
