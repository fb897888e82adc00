import type { Command } from "commander";

import { ConnectorError } from "../../core/errors.js";
import { STREAMS } from "../../../streams/index.js";
import { oneOf } from "../arguments.js";
import { textTable } from "../closing.js";
import { openDestination } from "../destination.js";
import { grouped } from "../format.js";
import type { Io } from "../io.js";
import { logOf } from "../program.js";
import { listenToSignals } from "../signals.js";
import { realSource } from "../source.js";
import { verify, type Compared } from "../verify.js";
import { configOf, streamList, withConfigFlags, type ConfigFlags } from "./common.js";

interface VerifyFlags extends ConfigFlags {
  readonly streams?: readonly string[];
  readonly format: (typeof FORMATS)[number];
}

const FORMATS = ["text", "json"] as const;

/** `knowbe4 verify`: what the destination holds against the API's own counters. */
export function addVerify(program: Command, io: Io): void {
  withConfigFlags(program.command("verify"))
    .description(
      "compare the destination with the API's own counters, without reading everything again",
    )
    .option("--streams <names>", "only these streams, separated by commas", streamList)
    .option("--format <format>", `of the output: ${FORMATS.join(" or ")}`, oneOf(FORMATS), "text")
    .action(async (flags: VerifyFlags) => {
      const config = configOf(io, flags);
      const log = logOf("knowbe4", io, flags);
      using signals = listenToSignals(() => undefined);
      await using loader = await openDestination(config, { io, emit: () => undefined });
      if (!(await loader.exists())) {
        throw new ConnectorError("config", `destination ${loader.place}: does not exist`, {
          hint: "run knowbe4 sync first, or set destination to one that holds rows",
        });
      }
      let requests = 0;
      const source = realSource(config, io, (event) => {
        if (event.type === "request") requests += 1;
        if (event.type === "warning") log.line("warning", event.message);
      });
      const chosen = flags.streams;
      const streams = STREAMS.filter(({ name, selectedByDefault }) =>
        chosen === undefined ? selectedByDefault !== false : chosen.includes(name),
      );
      const compared = await verify({
        streams,
        source,
        state: await loader.readState(),
        pageSize: config.page_size,
        startDate: config.start_date ?? null,
        count: (asks) => loader.countRows(asks),
        signal: signals.stop,
      });
      const json = `${JSON.stringify({ streams: compared, requests }, null, 2)}\n`;
      io.stdout.write(flags.format === "json" ? json : textOf(compared, requests));
      refuseDifference(compared);
    });
}

/** @throws ConnectorError `api_contract` if anything differs. */
function refuseDifference(compared: readonly Compared[]): void {
  const names = compared.filter((c) => c.verdict === "differs").map((c) => c.stream);
  if (names.length === 0) return;
  const what = names.length === 1 ? "1 stream differs" : `${String(names.length)} streams differ`;
  throw new ConnectorError("api_contract", `verify: ${what} from the API: ${names.join(", ")}`, {
    hint: `run knowbe4 sync, and if they still differ: knowbe4 sync --full-refresh --streams ${names.join(",")}`,
  });
}

function textOf(compared: readonly Compared[], requests: number): string {
  const cell = (n: number | null) => (n === null ? "-" : grouped(n));
  const rows = compared.map(
    (c) => [c.stream, cell(c.declared), cell(c.in_warehouse), c.verdict, c.detail] as const,
  );
  const table = textTable(["stream", "declared", "in warehouse", "verdict", ""], rows);
  return `${table}\n\nrequests made: ${grouped(requests)}\n`;
}
