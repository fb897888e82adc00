import type { Command } from "commander";

import { ConnectorError } from "../../core/errors.js";
import { isObject } from "../../core/json.js";
import { day, oneOf, wholeNumber } from "../arguments.js";
import { counted } from "../format.js";
import type { Io } from "../io.js";
import { logOf, withLogFlags, type LogFlags } from "../program.js";
import { listenToSignals } from "../signals.js";

interface SimulateFlags extends LogFlags {
  readonly port: number;
  readonly users: number;
  readonly seed: number;
  readonly today?: string;
  readonly tests?: number;
  readonly paging: (typeof PAGING)[number];
  readonly perSecond?: number;
  readonly perMinute?: number;
  readonly perDay?: number;
  readonly quotaHeaders?: boolean;
  readonly latency?: number;
  readonly advance?: number;
}

const PAGING = ["cursor", "page", "both"] as const;

/** `knowbe4 simulate`: an account of invented people on loopback, until a signal ends it. */
export function addSimulate(program: Command, io: Io): void {
  withLogFlags(program.command("simulate"))
    .description("serve an account of invented people on this machine, like the API does")
    .option("--port <n>", "port on 127.0.0.1; 0 takes a free one", wholeNumber(0, 65_535), 0)
    .option("--users <n>", "people in the account, 1 to 50,000", wholeNumber(1, 50_000), 1_000)
    .option("--seed <n>", "another number, another account", wholeNumber(0, 2 ** 31), 1)
    .option("--today <day>", "day on which the account stands, as 2026-06-01", day)
    .option("--tests <n>", "phishing tests", wholeNumber(0, 1_000))
    .option("--paging <way>", `how listings are paged: ${PAGING.join(", ")}`, oneOf(PAGING), "both")
    .option("--per-second <n>", "quota in any second", wholeNumber(1, 1e6))
    .option("--per-minute <n>", "quota in any minute", wholeNumber(1, 1e6))
    .option("--per-day <n>", "quota in any 24 hours", wholeNumber(1, 1e9))
    .option("--quota-headers", "tell the quota in X-RateLimit-* headers")
    .option("--latency <ms>", "milliseconds before each answer", wholeNumber(0, 60_000))
    .option(
      "--advance <days>",
      "let days pass in the simulator that runs on --port",
      wholeNumber(1, 3_650),
    )
    .action(async (flags: SimulateFlags) => {
      if (flags.advance === undefined) await serve(flags, io);
      else await advance(flags.port, flags.advance, io);
    });
}

async function serve(flags: SimulateFlags, io: Io): Promise<void> {
  const { startSimulator } = await import("../../simulator/index.js");
  const quota = {
    ...(flags.perSecond === undefined ? {} : { perSecond: flags.perSecond }),
    ...(flags.perMinute === undefined ? {} : { perMinute: flags.perMinute }),
    ...(flags.perDay === undefined ? {} : { perDay: flags.perDay }),
    ...(flags.quotaHeaders === true ? { headers: true } : {}),
  };
  await using simulator = await startSimulator({
    port: flags.port,
    users: flags.users,
    seed: flags.seed,
    paging: flags.paging,
    quota,
    ...(flags.today === undefined ? {} : { today: flags.today }),
    ...(flags.tests === undefined ? {} : { tests: flags.tests }),
    ...(flags.latency === undefined ? {} : { latencyMs: flags.latency }),
  }).catch((cause: unknown) => {
    throw portFault(flags.port, cause);
  });
  const log = logOf("knowbe4", io, flags);
  using signals = listenToSignals(() => undefined);
  log.line(
    "info",
    `${counted(flags.users, "person").replace("persons", "people")} at ${simulator.url}; Ctrl-C ends it`,
  );
  log.line("info", "the line on standard output is a configuration for --config");
  const config = {
    api_key: simulator.apiKey,
    api_url: simulator.url,
    // What the limits are is up to --per-second and its like, not to the client.
    rate_limit: { per_second: 0, per_minute: 0, per_day: 0 },
  };
  io.stdout.write(`${JSON.stringify(config)}\n`);
  await new Promise((resolve) => {
    signals.stop.addEventListener("abort", resolve, { once: true });
  });
}

/** A port that cannot be had is the user's to change; anything else is not expected. */
function portFault(port: number, cause: unknown): unknown {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const what = { EADDRINUSE: "is taken", EACCES: "is not allowed" }[String(code)];
  if (what === undefined) return cause;
  return new ConnectorError("config", `--port ${String(port)}: ${what}`, {
    hint: "give another one; 0 takes a free one",
    cause,
  });
}

async function advance(port: number, days: number, io: Io): Promise<void> {
  if (port === 0) throw new ConnectorError("config", "--advance needs the --port of a simulator");
  const nobody = (cause?: unknown) =>
    new ConnectorError("config", `--port ${String(port)}: no simulator answers there`, {
      hint: "give the port that knowbe4 simulate printed",
      cause,
    });
  const response = await fetch(`http://127.0.0.1:${String(port)}/_simulator/advance`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ days }),
  }).catch((cause: unknown) => {
    throw nobody(cause);
  });
  // Somebody else's server may say anything.
  const body: unknown = await response.json().catch(() => null);
  if (!isObject(body) || typeof body["today"] !== "string") throw nobody();
  io.stdout.write(`today is ${body["today"]}\n`);
}
