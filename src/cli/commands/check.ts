import type { Command } from "commander";

import { realSource } from "../source.js";
import type { Io } from "../io.js";
import { grouped } from "../format.js";
import { configOf, withConfigFlags, type ConfigFlags } from "./common.js";

/** `knowbe4 check`: at most two requests that tell whether the key reads the account. */
export function addCheck(program: Command, io: Io): void {
  withConfigFlags(program.command("check"))
    .description("try the API key and the region; reads two rows at most, writes nothing")
    .action(async (flags: ConfigFlags) => {
      const config = configOf(io, flags);
      const account = await realSource(config, io, () => undefined).check(
        new AbortController().signal,
      );
      const seats = account.seats === null ? "" : `, ${grouped(account.seats)} seats`;
      io.stdout.write(`ok: region ${config.region}, account "${account.name}"${seats}\n`);
    });
}
