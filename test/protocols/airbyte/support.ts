import { createClient, createSource } from "../../../src/api/index.js";
import { columnsOf } from "../../../src/core/columns.js";
import { canonical } from "../../../src/core/json.js";
import { normaliser, rowShape, type Normalised } from "../../../src/core/normalise.js";
import { makePlan } from "../../../src/core/plan.js";
import type { Sink } from "../../../src/core/ports.js";
import type { Row } from "../../../src/core/record.js";
import { EMPTY_STATE, memoryOf, parseState, type State } from "../../../src/core/state.js";
import { sync, type SyncResult } from "../../../src/core/sync.js";
import { readStates } from "../../../src/protocols/airbyte/state.js";
import { AirbyteWriter } from "../../../src/protocols/airbyte/writer.js";
import { SingerWriter } from "../../../src/protocols/singer/writer.js";
import type { Simulator, StreamName } from "../../../src/simulator/index.js";
import type { SyncEvent } from "../../../src/core/events.js";
import { STREAMS } from "../../../streams/index.js";
import { fakeClock, type FakeClock } from "../../support/clock.js";
import { memoryOut, messagesOf, ofType, type MemoryOut } from "../singer/support.js";
import { checked, kept, type StateMessage } from "./protocol.js";

/** Both protocols as one thing each, so that the same run can be had under either. */

/** Every stream but two that hold years of days, which take longer than all the others together. */
export const READ = STREAMS.map((def) => def.name as StreamName).filter(
  (name) => !name.endsWith("_risk_score_history"),
);

/** A protocol as a platform uses it: what it keeps is only ever what was written. */
export interface Protocol {
  readonly name: string;
  /** What a run starts from, given what the platform kept; undefined if it kept nothing yet. */
  start(kept: unknown): {
    readonly state: State;
    sink(out: MemoryOut, clock: FakeClock): Sink & { event?: (event: SyncEvent) => void };
  };
  /** What the platform keeps after a run that wrote this, and had kept that before. */
  keep(text: string, before: unknown): unknown;
  /** Rows in the order in which they were written. */
  rows(text: string): readonly { readonly stream: string; readonly row: Row }[];
}

export const SINGER: Protocol = {
  name: "singer",
  start: (given) => ({
    state: given === undefined ? EMPTY_STATE : parseState(given, "state"),
    sink: (out) => new SingerWriter(out),
  }),
  keep: (text, before) => ofType(text, "STATE").at(-1)?.["value"] ?? before,
  rows: (text) =>
    messagesOf(text).flatMap(({ type, stream, record }) =>
      type === "RECORD" ? [{ stream: String(stream), row: record as Row }] : [],
    ),
};

const nameOf = (state: StateMessage) => state.stream.stream_descriptor.name;

export const AIRBYTE: Protocol = {
  name: "airbyte",
  start: (given) => {
    const names = STREAMS.map((def) => def.name);
    const { state, numbers } = readStates(given, names, "state");
    return { state, sink: (out, clock) => new AirbyteWriter(out, clock, numbers) };
  },
  keep: (text, before) => {
    const states = [...((before ?? []) as readonly StateMessage[]), ...kept(checked(text))];
    return [...new Map(states.map((state) => [nameOf(state), state])).values()];
  },
  rows: (text) =>
    checked(text).flatMap(({ record }) =>
      record === undefined ? [] : [{ stream: record.stream, row: record.data as Row }],
    ),
};

/** Where a run is broken off, and how. */
export interface Break {
  readonly how: "a signal" | "two signals" | "a fault" | "a closed pipe" | "a kill";
  /** Request or write at which it happens; of a kill, how much of sixty parts got out. */
  readonly at: number;
}

/** A run that is over, however it ended. */
export interface Ran {
  readonly text: string;
  readonly result: SyncResult;
  /** What the platform keeps. */
  readonly kept: unknown;
}

/** Runs all streams of an account under a protocol, on the account's own evening. */
export async function runOnce(
  protocol: Protocol,
  simulator: Simulator,
  options: {
    readonly kept?: unknown;
    readonly pageSize?: number;
    readonly broken?: Break | undefined;
  } = {},
): Promise<Ran> {
  const { kept: before, pageSize = 500, broken } = options;
  const clock = fakeClock(Date.parse(`${simulator.account.today}T20:00:00Z`));
  const [stop, kill] = [new AbortController(), new AbortController()];
  const out = memoryOut({
    fail: (write) => (broken?.how === "a closed pipe" && write >= broken.at ? gone() : undefined),
  });
  const { state, sink: sinkOf } = protocol.start(before);
  const sink = sinkOf(out, clock);
  let requests = 0;
  const emit = (event: SyncEvent): void => {
    sink.event?.(event);
    if (event.type !== "request") return;
    requests += 1;
    if (requests !== broken?.at) return;
    if (broken.how === "a signal") stop.abort();
    if (broken.how === "two signals") kill.abort();
  };
  if (broken?.how === "a fault") {
    const fault = { kind: "status", status: 503 } as const;
    simulator.addFault({ match: { nth: broken.at }, fault });
  }
  const client = createClient({
    ...{ baseUrl: simulator.url, apiKey: simulator.apiKey, pageSize, clock, emit },
    random: () => 0.5,
    rateLimit: { perSecond: 0, perMinute: 0, perDay: 0 },
    onQuotaExhausted: "stop",
    retry: { maxAttempts: 1, maxSeconds: 1 },
    userAgent: "test",
    env: {},
  });
  const result = await sync({
    runId: "run-1",
    plan: makePlan(STREAMS, READ.map(whole), state),
    source: createSource(client, { earlier: memoryOf(state) }),
    sink,
    settings: {
      ...{ concurrency: 2, pageSize, lookbackDays: 30, reverifyDays: 30, maxRejects: 0 },
      startDate: START,
    },
    clock,
    emit,
    stop: stop.signal,
    kill: kill.signal,
  });
  simulator.clearFaults();
  const lines = out.text.split("\n").slice(0, -1);
  const left = broken?.how === "a kill" ? Math.floor((lines.length * broken.at) / 60) : undefined;
  const text = lines.slice(0, left).map((line) => `${line}\n`);
  return { text: text.join(""), result, kept: protocol.keep(text.join(""), before) };
}

/** From here on days are handed on: a few of them make a test as well as years do. */
const START = "2026-05-25";

const whole = (stream: string) => ({ stream, deselected: new Set<string>(), fullRefresh: false });

function gone(): Error {
  return Object.assign(new Error("gone"), { code: "EPIPE" });
}

/** What a target that merges by key holds after these runs, one text per row; by stream. */
export function merged(
  protocol: Protocol,
  ...runs: readonly Ran[]
): ReadonlyMap<string, readonly string[]> {
  const held = new Map(READ.map((stream) => [stream as string, new Map<string, string>()]));
  for (const { stream, row } of runs.flatMap(({ text }) => protocol.rows(text))) {
    const { primaryKey } = STREAMS.find((def) => def.name === stream)!;
    const key = canonical(primaryKey.map((name) => row[name] ?? null));
    held.get(stream)!.set(key, textOf(row));
  }
  return new Map([...held].map(([stream, rows]) => [stream, [...rows.values()].sort()]));
}

/** Rows that there are, one text each; by stream. */
export function truth(simulator: Simulator): ReadonlyMap<string, readonly string[]> {
  return new Map(READ.map((stream) => [stream, truthOf(simulator, stream)]));
}

function truthOf(simulator: Simulator, stream: StreamName): readonly string[] {
  const def = STREAMS.find(({ name }) => name === stream)!;
  const normalise = normaliser(rowShape(def, columnsOf(def)), () => undefined);
  const into: Normalised = { rows: [], rejects: [] };
  for (const row of simulator.account.rows(stream)) normalise(row, {}, into);
  return into.rows
    .filter(({ date }) => typeof date !== "string" || date >= START)
    .map(textOf)
    .sort();
}

/** A row without the time of the run. */
function textOf({ _observed_at: _, ...row }: Row): string {
  return canonical(row);
}
