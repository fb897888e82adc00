import type { Config } from "../../config/schema.js";
import { ConnectorError, worse } from "../../core/errors.js";
import type { SyncEvent } from "../../core/events.js";
import { readConfigured, type Configured } from "../../protocols/airbyte/configured.js";
import { readStates, type Given } from "../../protocols/airbyte/state.js";
import { AirbyteWriter } from "../../protocols/airbyte/writer.js";
import { errorLine, statusLine } from "../../protocols/airbyte/messages.js";
import { AIRBYTE_DELETED } from "../../protocols/deleted.js";
import { EMPTY_STATE } from "../../core/state.js";
import { STREAMS } from "../../../streams/index.js";
import { columnsUnder, tellingDeletions } from "../deleted.js";
import { counted } from "../format.js";
import type { Io } from "../io.js";
import { planOf, runPlan } from "../run.js";
import { exitCodeOf, listenToSignals } from "../signals.js";
import { realSource } from "../source.js";
import { Tally } from "../tally.js";
import { readConfig, readGiven } from "./files.js";

/** Files that a platform passes to `read`. */
export interface ReadFlags {
  readonly config: string;
  readonly catalog: string;
  readonly state?: string;
  readonly debug?: boolean;
}

/** Reads what the catalog asks for; returns the exit status. */
export async function read(flags: ReadFlags, io: Io): Promise<number> {
  const early: string[] = [];
  const config = readConfig(flags.config, (message) => early.push(message));
  const configured = readConfigured(readGiven(flags.catalog), STREAMS, flags.catalog);
  const given = givenState(flags.state);
  if (configured.wholeOnly.length > 0) {
    early.push(
      `read whole, as they cannot be read incrementally: ${configured.wholeOnly.join(", ")}`,
    );
  }
  early.push(
    ...given.unknown.map((stream) => `state: ${stream} is not a stream of this source: ignored`),
  );
  const { only, lacking } = deletionsOf(config, configured);
  if (lacking.length > 0) {
    early.push(
      `deleted_records: nothing is told of ${lacking.join(", ")}, as the catalog's schema has no ${AIRBYTE_DELETED.column.name}: refresh the schema`,
    );
  }
  const writer = new AirbyteWriter(io.stdout, io.clock, given.numbers);
  for (const message of early) writer.log("WARN", message);
  const tally = new Tally(() => io.clock.monotonic());
  const isDebug = flags.debug === true || io.env["LOG_LEVEL"]?.toLowerCase() === "debug";
  const emit = (event: SyncEvent): void => {
    tally.add(event);
    if (isDebug && event.type === "request") writer.log("DEBUG", requestText(event));
    writer.event(event);
    if (event.type !== "stream_finished") return;
    const counts = tally.streams.get(event.outcome.stream);
    if (counts === undefined) return;
    const rows = counted(counts.rows, "row");
    writer.log("INFO", `${counts.stream}: ${rows} in ${counted(counts.requests, "request")}`);
  };
  let heard: NodeJS.Signals | undefined;
  using signals = listenToSignals((name) => {
    heard = name as NodeJS.Signals;
    writer.log("WARN", `${name}: stopping after what is on its way`);
  });
  const plan = planOf(config, configured.selections, given.state);
  const source = realSource(config, io, emit).pages(given.state);
  const sink = tellingDeletions(writer, config, { style: AIRBYTE_DELETED, only });
  const result = await runPlan({ io, config, plan, source, sink, signals, emit });
  let { error } = result;
  if (error?.context["signal"] === "SIGPIPE") return exitCodeOf(error);
  // Failures of a stream have been told as the stream ended; those of the run have not.
  if (error !== undefined && !result.outcomes.some((outcome) => outcome.error === error)) {
    io.stdout.write(errorLine(io.clock.now(), error));
  }
  for (const [stream, missing] of configured.unknown) {
    io.stdout.write(errorLine(io.clock.now(), missing, stream));
    io.stdout.write(statusLine(io.clock.now(), stream, "INCOMPLETE"));
    error = worse(error, missing);
  }
  if (heard !== undefined) endAs(heard);
  return exitCodeOf(error);
}

/** Streams of whose deletions can be told, and those of them whose table lacks the column for it. */
function deletionsOf(
  config: Config,
  { incremental }: Configured,
): { readonly only: ReadonlySet<string>; readonly lacking: readonly string[] } {
  if (config.deleted_records === "none") return { only: new Set(), lacking: [] };
  const { name: column } = AIRBYTE_DELETED.column;
  const columns = columnsUnder(config, { style: AIRBYTE_DELETED });
  const able = STREAMS.filter((def) => columns(def).some(({ name }) => name === column))
    .map(({ name }) => name)
    .filter((name) => incremental.has(name));
  const [only, lacking] = [true, false].map((has) =>
    able.filter((name) => incremental.get(name)?.has(column) === has),
  ) as [string[], string[]];
  return { only: new Set(only), lacking };
}

function givenState(path: string | undefined): Given {
  if (path === undefined) return { state: EMPTY_STATE, numbers: new Map(), unknown: [] };
  const names = STREAMS.map((stream) => stream.name);
  return readStates(stateFile(path), names, path);
}

/** Platforms pass an empty file, or name one that is not there, where there is no state yet. */
function stateFile(path: string): unknown {
  try {
    return readGiven(path);
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    if (/ (does not exist|is empty)$/.test(error.message)) return [];
    const message = error.message.replace(/^config: /, "state: ");
    throw new ConnectorError("state", message, { cause: error });
  }
}

function requestText(event: Extract<SyncEvent, { type: "request" }>): string {
  const status = event.status === null ? "no answer" : String(event.status);
  return `GET ${event.endpoint} ${status}, attempt ${String(event.attempt)}`;
}

/**
 * A platform that stops us wants to see that the signal did it, and takes any exit status but that
 * and 0 for a crash. With no listener left the signal does what it does to any program.
 */
function endAs(signal: NodeJS.Signals): void {
  process.once("beforeExit", () => {
    process.kill(process.pid, signal);
  });
}
