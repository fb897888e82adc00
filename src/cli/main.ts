import { addCheck } from "./commands/check.js";
import { withConfigFlags, type ConfigFlags } from "./commands/common.js";
import { addDemo } from "./commands/demo.js";
import { addForget } from "./commands/forget.js";
import { addLoad } from "./commands/load.js";
import { addPlan } from "./commands/plan.js";
import { addSimulate } from "./commands/simulate.js";
import { addState } from "./commands/state.js";
import { addSync } from "./commands/sync.js";
import { addVerify } from "./commands/verify.js";
import type { Io } from "./io.js";
import { newCommand, runProgram } from "./program.js";
import { discover } from "./tap.js";
import { version } from "./version.js";

/** The connector's own command line. */
export async function knowbe4(argv: readonly string[], io: Io): Promise<void> {
  await runProgram("knowbe4", argv, io, async () => {
    let code = 0;
    const done = (status: number): void => {
      code = status;
    };
    const program = newCommand("knowbe4", io)
      .description("Reads a KnowBe4 account into a warehouse.")
      .version(`knowbe4 v${version()}`, "--version", "show the version");
    addDemo(program, io, done);
    addSync(program, io, done);
    addCheck(program, io);
    addPlan(program, io);
    withConfigFlags(program.command("discover"))
      .description("print the catalog of all streams; needs no configuration and no network")
      .action(async (flags: ConfigFlags) => {
        done(await discover(io, flags));
      });
    addLoad(program, io, done);
    addState(program, io);
    addVerify(program, io);
    addForget(program, io);
    addSimulate(program, io);
    await program.parseAsync([...argv], { from: "user" });
    return code;
  });
}
