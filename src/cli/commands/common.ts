import { readFileSync } from "node:fs";

import type { Command } from "commander";

import { loadConfig, type ConfigSources } from "../../config/load.js";
import type { Config } from "../../config/schema.js";
import { ConnectorError } from "../../core/errors.js";
import type { JsonObject } from "../../core/json.js";
import { STREAMS } from "../../../streams/index.js";
import { unknownStream } from "../../core/plan.js";
import type { Io } from "../io.js";
import { privacyOf } from "../privacy.js";
import { withLogFlags, type LogFlags } from "../program.js";

/** Flags of every command that needs a configuration. */
export interface ConfigFlags extends LogFlags {
  readonly config?: readonly string[];
}

/** Adds `--config`, which may be given several times, and the logging flags. */
export function withConfigFlags(command: Command): Command {
  return withLogFlags(command).option(
    "-c, --config <file>",
    "JSON file with settings; - is standard input, ENV the environment alone; may be repeated",
    (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
  );
}

/** The configuration of a command. */
export function configOf(
  io: Io,
  flags: ConfigFlags,
  more: Pick<ConfigSources, "withoutKey"> & { readonly overrides?: JsonObject } = {},
): Config {
  const config = loadConfig({
    files: flags.config ?? [],
    env: io.env,
    stdin: () => readFileSync(0, "utf8"),
    ...more,
  });
  // Also where nothing is read: what is wrong is told by the first command that sees it.
  privacyOf(config);
  return config;
}

/**
 * Stream names of a comma-separated list.
 *
 * @throws ConnectorError `config` for a name that is no stream, and for none at all.
 */
export function streamList(value: string): readonly string[] {
  const known = STREAMS.map((s) => s.name);
  const names = value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  for (const name of names) if (!known.includes(name)) throw unknownStream(name, known);
  if (names.length === 0) throw new ConnectorError("config", `"${value}" names no stream`);
  return names;
}
