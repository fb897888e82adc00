import { randomInt } from "node:crypto";

import { Command, CommanderError } from "commander";

import { asConnectorError, ConnectorError } from "../core/errors.js";
import { realClock } from "./clock.js";
import type { Io } from "./io.js";
import { LEVELS, logSettings, makeLog, type Level, type Log, type LogFormat } from "./log.js";
import { exitCodeOf } from "./signals.js";

/** Options that every command takes. */
export interface LogFlags {
  readonly logLevel?: Level;
  readonly logFormat?: LogFormat;
}

/** The process as an {@link Io}. */
export function processIo(): Io {
  // Whoever reads may go before the end, as `head` does. A writer that must know listens itself.
  for (const out of [process.stdout, process.stderr]) out.on("error", () => undefined);
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    clock: realClock,
    random: () => randomInt(2 ** 47) / 2 ** 47,
  };
}

/** A command whose usage errors are one line and exit status 2, like all others. */
export function newCommand(name: string, io: Io): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => {
        const line = text
          .replace(/^error: /, "")
          .trim()
          .replace(/\n+/g, " ");
        write(`${name}: ${line}\n`);
      },
    })
    .showSuggestionAfterError(true)
    .helpOption("-h, --help", "show this help");
}

/** Adds the logging flags. */
export function withLogFlags(command: Command): Command {
  return command
    .option("--log-level <level>", `how much to log: ${LEVELS.join(", ")}`, chosen(LEVELS))
    .option(
      "--log-format <format>",
      "text, or json as Meltano parses it",
      chosen(["text", "json"]),
    );
}

function chosen<T extends string>(allowed: readonly T[]): (value: string) => T {
  return (value) => {
    const found = allowed.find((a) => a === value);
    if (found !== undefined) return found;
    throw new ConnectorError("config", `"${value}" is not one of ${allowed.join(", ")}`);
  };
}

/** The log that the flags and the environment ask for. */
export function logOf(program: string, io: Io, flags: LogFlags): Log {
  const fromEnv = logSettings(io.env);
  return makeLog({
    program,
    format: flags.logFormat ?? fromEnv.format,
    level: flags.logLevel ?? fromEnv.level,
    write: (text) => {
      io.stderr.write(text);
    },
    now: () => io.clock.now(),
    pid: process.pid,
  });
}

/**
 * Runs a program to its exit status. Sets `process.exitCode` and lets the process end by itself:
 * ending it here would cut off what is still on its way to stdout.
 */
export async function runProgram(name: string, io: Io, body: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await body();
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? 0 : 2;
      return;
    }
    const error = asConnectorError(thrown);
    process.exitCode = exitCodeOf(error);
    if (error.context["signal"] === "SIGPIPE") return;
    const flags = io.env["TAP_KNOWBE4_LOGLEVEL"] === "debug" ? { logLevel: "debug" as const } : {};
    const log = logOf(name, io, flags);
    log.failure(error);
    const { cause } = error;
    if (log.level === "debug" && error.kind === "internal" && cause instanceof Error) {
      log.line("debug", cause.stack ?? cause.message);
    }
  }
}
