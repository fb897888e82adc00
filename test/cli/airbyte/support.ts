import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { sourceKnowbe4 } from "../../../src/cli/airbyte/program.js";
import type { Io } from "../../../src/cli/io.js";
import { airbyteCatalog } from "../../../src/protocols/airbyte/catalog.js";
import { STREAMS } from "../../../streams/index.js";
import { checked, recordsOf, type Message } from "../../protocols/airbyte/protocol.js";
import { lines, truth, type Account } from "../support/account.js";
import { installed } from "../support/installed.js";
import { fakeIo, within, type FakeIo } from "../support/io.js";
import { startShell, type Running } from "../support/program.js";

/** A run of the source that is over; every line of stdout has been checked. */
export interface Answer {
  readonly code: number;
  readonly messages: readonly Message[];
  /** stdout as it was written. */
  readonly text: string;
  readonly stderr: string;
}

/** Runs the source within the test. */
export async function source(
  argv: readonly string[],
  more: Partial<Pick<Io, "clock" | "env">> = {},
): Promise<Answer> {
  const io: FakeIo = { ...fakeIo(), ...more };
  const code = await within(sourceKnowbe4, argv, io);
  return { code, messages: checked(io.out()), text: io.out(), stderr: io.err() };
}

/** Starts the source as a process of its own. */
export function startSource(argv: readonly string[]): Running {
  return startShell(`exec $NODE $SOURCE ${argv.join(" ")}`, { env: { SOURCE: script() } });
}

/** Path of the program. */
export function script(): string {
  return join(installed(), "dist/bin/source-knowbe4.js");
}

/** Writes a file beside the configuration and gives its path. */
export function file(a: Account, name: string, content: unknown): string {
  const path = join(a.cwd, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** A stream of a configured catalog: by name, or with more than that. */
export type Wanted =
  | string
  | {
      readonly name: string;
      readonly mode?: string;
      /** Columns that the user chose. */
      readonly columns?: readonly string[];
    };

interface Discovered {
  readonly name: string;
  readonly json_schema: { readonly properties: Readonly<Record<string, unknown>> };
  readonly supported_sync_modes: readonly string[];
}

/** What `discover` prints. */
export const CATALOG = airbyteCatalog(STREAMS)["streams"] as readonly Discovered[];

/** Streams that can be read incrementally. */
export const INCREMENTAL = CATALOG.filter((s) =>
  s.supported_sync_modes.includes("incremental"),
).map((s) => s.name);

/** A configured catalog; each stream in the best mode that it has, unless another is given. */
export function configured(wanted: readonly Wanted[]) {
  return { streams: wanted.map((w) => (typeof w === "string" ? entry({ name: w }) : entry(w))) };
}

function entry({ name, mode, columns }: Exclude<Wanted, string>) {
  const found = CATALOG.find((s) => s.name === name);
  const stream = found ?? { ...CATALOG[0]!, name };
  const { json_schema: schema } = stream;
  const properties = Object.entries(schema.properties).filter(
    ([column]) => columns?.includes(column) ?? true,
  );
  return {
    stream: { ...stream, json_schema: { ...schema, properties: Object.fromEntries(properties) } },
    sync_mode: mode ?? (INCREMENTAL.includes(name) ? "incremental" : "full_refresh"),
    destination_sync_mode: "append",
  };
}

/** What {@link read} is given; everything but the streams has a default. */
export interface Reading extends Partial<Pick<Io, "clock" | "env">> {
  readonly streams: readonly Wanted[];
  /** States of a run before, or whatever else is to stand in the file. */
  readonly state?: unknown;
  readonly settings?: object;
  readonly args?: readonly string[];
}

/** Arguments of `read`, with the files that they name. */
export function readArgs(a: Account, { streams, state, settings, args = [] }: Reading) {
  return [
    ...["read", "--config", a.config(settings), ...args],
    ...["--catalog", file(a, "catalog.json", configured(streams))],
    ...(state === undefined ? [] : ["--state", file(a, "state.json", state)]),
  ];
}

/** Runs `read` within the test. */
export function read(a: Account, reading: Reading): Promise<Answer> {
  const { clock, env } = reading;
  const more = { ...(clock && { clock }), ...(env && { env }) };
  return source(readArgs(a, reading), more);
}

/** Rows of a stream that came, in the order and shape in which the truth is told. */
export function rowsOf(messages: readonly Message[], stream: string): readonly string[] {
  return lines(recordsOf(messages, stream).map((r) => r.data));
}

/** Rows of a stream that there are. */
export function truthOf(a: Account, stream: string): readonly string[] {
  return lines(truth(a, stream as Parameters<typeof truth>[1]));
}
