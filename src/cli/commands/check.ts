import type { Command } from "commander";

import type { Config } from "../../config/schema.js";
import { ConnectorError } from "../../core/errors.js";
import { describeDestination, openDestination } from "../destination.js";
import { realSource } from "../source.js";
import type { Io } from "../io.js";
import { grouped } from "../format.js";
import { configOf, withConfigFlags, type ConfigFlags } from "./common.js";

/**
 * `knowbe4 check`: at most two requests that tell whether the key reads the account, and whether
 * the destination can be written.
 */
export function addCheck(program: Command, io: Io): void {
  withConfigFlags(program.command("check"))
    .description(
      "try the API key, the region and the destination; reads two rows at most, writes nothing",
    )
    .action(async (flags: ConfigFlags) => {
      const config = configOf(io, flags);
      const account = await realSource(config, io, () => undefined).check(
        new AbortController().signal,
      );
      const seats = account.seats === null ? "" : `, ${grouped(account.seats)} seats`;
      io.stdout.write(`ok: region ${config.region}, account "${account.name}"${seats}\n`);
      await checkDestination(io, config);
    });
}

/** @throws ConnectorError `destination` with one line per thing that is missing. */
async function checkDestination(io: Io, config: Config): Promise<void> {
  await using loader = await openDestination(config, { io, emit: () => undefined });
  const missing = await loader.check();
  if (missing.length > 0) {
    const lines = missing.map(({ what, fix }) => `destination ${loader.place}: ${what} (${fix})`);
    throw new ConnectorError("destination", lines.join("\n"));
  }
  io.stdout.write(`ok: destination ${describeDestination(config.destination)}\n`);
}
