import { randomInt } from "node:crypto";

import { Command, CommanderError } from "commander";

import { asConnectorError, ConnectorError } from "../core/errors.js";
import { oneOf } from "./arguments.js";
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

/** A command whose usage errors are told by {@link runProgram}, like all others. */
export function newCommand(name: string, io: Io): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined,
    })
    .showSuggestionAfterError(true)
    .helpOption("-h, --help", "show this help");
}

const FORMATS: readonly LogFormat[] = ["text", "json"];

/** Adds the logging flags. */
export function withLogFlags(command: Command): Command {
  return command
    .option("--log-level <level>", `how much to log: ${LEVELS.join(", ")}`, oneOf(LEVELS))
    .option("--log-format <format>", "text, or json as Meltano parses it", oneOf(FORMATS));
}

/** The logging flags of a command line that may be wrong in other places, or in these. */
function logFlagsIn(argv: readonly string[]): LogFlags {
  const given = (name: string): string | undefined => {
    const at = argv.findLastIndex((arg) => arg === name || arg.startsWith(`${name}=`));
    const arg = argv[at] ?? "";
    return arg === name ? argv[at + 1] : arg.slice(name.length + 1);
  };
  const logLevel = LEVELS.find((level) => level === given("--log-level"));
  const logFormat = FORMATS.find((format) => format === given("--log-format"));
  return {
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(logFormat === undefined ? {} : { logFormat }),
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
export async function runProgram(
  name: string,
  argv: readonly string[],
  io: Io,
  body: () => Promise<number>,
): Promise<void> {
  try {
    process.exitCode = await body();
  } catch (thrown) {
    if (isHelp(thrown)) {
      process.exitCode = thrown.exitCode === 0 ? 0 : 2;
      return;
    }
    const error = thrown instanceof CommanderError ? usage(thrown) : asConnectorError(thrown);
    process.exitCode = exitCodeOf(error);
    if (error.context["signal"] === "SIGPIPE") return;
    const log = logOf(name, io, logFlagsIn(argv));
    log.failure(error);
    const { cause } = error;
    if (log.level === "debug" && error.kind === "internal" && cause instanceof Error) {
      log.line("debug", cause.stack ?? cause.message);
    }
  }
}

/** What was asked for, or should have been, stands on the screen already. */
function isHelp(thrown: unknown): thrown is CommanderError {
  return thrown instanceof CommanderError && /^commander\.(help|version)/.test(thrown.code);
}

/** What is wrong with a command line, on one line. */
function usage({ message }: CommanderError): ConnectorError {
  const line = message.replace(/^error: /, "").trim();
  return new ConnectorError("config", line.replace(/\s*\n\s*/g, " "));
}
