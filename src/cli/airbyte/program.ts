import { CommanderError, Option, type Command } from "commander";

import { connectionSpec } from "../../config/connection-spec.js";
import type { Config } from "../../config/schema.js";
import { asConnectorError, ConnectorError } from "../../core/errors.js";
import { airbyteCatalog } from "../../protocols/airbyte/catalog.js";
import {
  catalogLine,
  connectionStatusLine,
  errorLine,
  logLine,
  specLine,
} from "../../protocols/airbyte/messages.js";
import { AIRBYTE_DELETED } from "../../protocols/deleted.js";
import { STREAMS } from "../../../streams/index.js";
import { columnsUnder } from "../deleted.js";
import { grouped } from "../format.js";
import type { Io } from "../io.js";
import { newCommand } from "../program.js";
import { exitCodeOf } from "../signals.js";
import { version } from "../version.js";
import { readConfig } from "./files.js";

const NAME = "source-knowbe4";

interface Flags {
  readonly config: string;
  readonly catalog: string;
  readonly state?: string;
  readonly debug?: boolean;
}

/**
 * The Airbyte source. Everything goes out as messages on stdout: a failure too, as an error trace,
 * with an exit status that says which kind it was.
 */
export async function sourceKnowbe4(argv: readonly string[], io: Io): Promise<void> {
  try {
    process.exitCode = await run(argv, io);
  } catch (thrown) {
    const error = errorOf(thrown);
    if (error === undefined) return;
    process.exitCode = exitCodeOf(error);
    if (error.context["signal"] === "SIGPIPE") return;
    io.stdout.write(errorLine(io.clock.now(), error));
    if (error.kind === "internal" && thrown instanceof Error) {
      // What is ours to mend is told where no platform keeps it.
      io.stderr.write(`${thrown.stack ?? ""}\n`);
    }
  }
}

/** Undefined for help and version, which are no failure. */
function errorOf(thrown: unknown): ConnectorError | undefined {
  if (!(thrown instanceof CommanderError)) return asConnectorError(thrown);
  if (thrown.exitCode === 0) return undefined;
  const message = thrown.message
    .replace(/^error: /, "")
    .replace(/\n+/g, " ")
    // An option that is not ours may have brought a key.
    .replace(/(unknown option '[^'=]*)=.*'/, "$1'")
    .trim();
  return new ConnectorError("config", message === "(outputHelp)" ? "no command" : message, {
    hint: `use ${NAME} spec | check | discover | read`,
  });
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  let code = 0;
  const program = newCommand(NAME, io)
    .description("Airbyte source for KnowBe4's Reporting API")
    .version(`${NAME} v${version()}`, "--version", "show the version")
    // What is wrong with the arguments is said once, as a message.
    .configureOutput({ outputError: () => undefined })
    .showHelpAfterError(false);
  command(program, "spec", "print the settings").action(() => {
    io.stdout.write(specLine(connectionSpec()));
  });
  withConfig(command(program, "check", "try the key")).action(async (flags: Flags) => {
    await check(flags, io);
  });
  // Needs no configuration: what can be read depends on privacy rules, and not on the account.
  command(program, "discover", "print the catalog")
    .option("--config <file>", "settings, as JSON")
    .action((flags: Partial<Flags>) => {
      discover(flags.config, io);
    });
  withConfig(command(program, "read", "read the account"))
    .requiredOption("--catalog <file>", "configured catalog, as JSON")
    .option("--state <file>", "states of the last run, as JSON")
    .action(async (flags: Flags) => {
      const { read } = await import("./read.js");
      code = await read(flags, io);
    });
  if (argv.length === 0)
    throw new ConnectorError("config", "no command", {
      hint: `use ${NAME} spec | check | discover | read`,
    });
  await program.parseAsync([...argv], { from: "user" });
  return code;
}

function discover(path: string | undefined, io: Io): void {
  const warn = (message: string): void => {
    io.stdout.write(logLine("WARN", message));
  };
  const config = path === undefined ? undefined : readConfig(path, warn, { withoutKey: true });
  const columns = config && columnsUnder(config, { style: AIRBYTE_DELETED });
  io.stdout.write(catalogLine(airbyteCatalog(STREAMS, columns)));
}

function command(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .addOption(new Option("--debug", "say more"));
}

function withConfig(of: Command): Command {
  return of.requiredOption("--config <file>", "settings, as JSON");
}

/** Answers whether the key reads the account: quickly, and with what to do if it does not. */
async function check(flags: Flags, io: Io): Promise<void> {
  const warn = (message: string): void => {
    io.stdout.write(logLine("WARN", message));
  };
  try {
    const config = quick(readConfig(flags.config, warn));
    const { realSource } = await import("../source.js");
    const source = realSource(config, io, () => undefined);
    const account = await source.check(new AbortController().signal);
    const seats = account.seats === null ? "" : `, ${grouped(account.seats)} seats`;
    io.stdout.write(logLine("INFO", `region ${config.region}, account "${account.name}"${seats}`));
    io.stdout.write(connectionStatusLine("SUCCEEDED"));
  } catch (thrown) {
    const error = asConnectorError(thrown);
    if (error.kind === "internal") throw thrown;
    const hint = error.hint === undefined ? "" : ` (${error.hint})`;
    io.stdout.write(connectionStatusLine("FAILED", error.message + hint));
  }
}

/** Somebody waits in front of a form: one attempt, ten seconds. */
function quick(config: Config): Config {
  return {
    ...config,
    retry: { max_attempts: 1, max_seconds: 10 },
    request_timeout: Math.min(config.request_timeout, 10),
    on_quota_exhausted: "stop",
  };
}
