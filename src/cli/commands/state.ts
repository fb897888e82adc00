import type { Command } from "commander";

import { ConnectorError } from "../../core/errors.js";
import { canonical, type Json } from "../../core/json.js";
import { openDestination } from "../destination.js";
import type { Io } from "../io.js";
import { configOf, withConfigFlags, type ConfigFlags } from "./common.js";

/** `knowbe4 state show`: how far the destination's streams have been read. */
export function addState(program: Command, io: Io): void {
  const state = program.command("state").description("the state that is kept in the destination");
  withConfigFlags(state.command("show"))
    .description(
      "print it as JSON, as the tap takes it with --state, and how complete the last readings were",
    )
    .action(async (flags: ConfigFlags) => {
      const config = configOf(io, flags, { withoutKey: true });
      await using loader = await openDestination(config, { io, emit: () => undefined });
      if (!(await loader.exists())) {
        throw new ConnectorError("config", `destination ${loader.place}: does not exist`, {
          hint: "run knowbe4 sync first, or set destination to one that holds rows",
        });
      }
      const found = await loader.readState();
      const proofs = await loader.readProofs();
      const shown = { ...found, proofs };
      const text = canonical(shown as unknown as Json);
      io.stdout.write(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    });
}
