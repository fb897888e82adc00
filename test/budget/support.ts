import { onTestFinished } from "vitest";

import { estimate, type Estimate } from "../../src/cli/plan.js";
import { planOf, runPlan, selectStreams } from "../../src/cli/run.js";
import { realSource } from "../../src/cli/source.js";
import { Tally } from "../../src/cli/tally.js";
import { configSchema, type Config } from "../../src/config/schema.js";
import type { SyncEvent } from "../../src/core/events.js";
import { canonical, type Json } from "../../src/core/json.js";
import type { Sink } from "../../src/core/ports.js";
import type { Row } from "../../src/core/record.js";
import { EMPTY_STATE, parseState, type Checkpoint, type State } from "../../src/core/state.js";
import type { SyncResult } from "../../src/core/sync.js";
import {
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../src/simulator/index.js";
import { STREAMS } from "../../streams/index.js";
import { fakeIo } from "../cli/support/io.js";
import { fakeClock, type FakeClock } from "../support/clock.js";

/** An account whose quota and whose reader go by one clock, which no test waits for. */
export interface Office {
  readonly simulator: Simulator;
  readonly clock: FakeClock;
  /** Rows by stream and key, as a destination that merges would hold them. */
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, Row>>;
  state: State;
  /** @param sink where rows go; {@link tables} unless given. */
  sync(settings?: object, streams?: readonly string[], sink?: Sink): Promise<Ran>;
  plan(settings?: object, streams?: readonly string[]): Promise<Estimate>;
}

/** A run that is over. */
export interface Ran extends SyncResult {
  /** Requests that the API saw. */
  readonly requests: number;
  readonly paths: readonly string[];
  readonly tally: Tally;
  readonly events: readonly SyncEvent[];
  readonly warnings: readonly string[];
  readonly tookMs: number;
}

/** The account that DESIGN's figures are about. */
export const LARGE = { users: 5_000, tests: 60, trainingCampaigns: 23 } as const;

/** @param keeps whether rows are kept; a large account's would fill the memory. */
export async function office(
  options: SimulatorOptions,
  keeps: "rows" | "nothing" = "nothing",
): Promise<Office> {
  const clock = fakeClock();
  const simulator = await startSimulator({ now: () => clock.now(), ...options });
  onTestFinished(() => simulator[Symbol.asyncDispose]());
  const tables = new Map<string, Map<string, Row>>();
  const io = { ...fakeIo(), clock, random: () => 0.5 };
  const configOf = (settings: object): Config =>
    configSchema.parse({
      api_key: simulator.apiKey,
      api_url: simulator.url,
      rate_limit: { per_second: 0, per_minute: 0, per_day: 0 },
      ...settings,
    });
  const self: Office = {
    simulator,
    clock,
    tables,
    state: EMPTY_STATE,
    async sync(settings = {}, streams, given) {
      const config = configOf(settings);
      const tally = new Tally(() => clock.monotonic());
      const events: SyncEvent[] = [];
      const emit = (event: SyncEvent): void => {
        tally.add(event);
        if (event.type !== "page") events.push(event);
      };
      const plan = planOf(
        config,
        selectStreams(streams, () => false),
        self.state,
      );
      const source = realSource(config, io, emit).pages(self.state);
      const [before, startedMs] = [simulator.requestCount, clock.monotonic()];
      const signals = {
        stop: new AbortController().signal,
        kill: new AbortController().signal,
        [Symbol.dispose]: () => undefined,
      };
      const sink = given ?? tableSink(keeps === "rows" ? tables : undefined);
      const result = await runPlan({ io, config, plan, source, sink, signals, emit });
      // Through text, as every mode keeps it.
      self.state = parseState(JSON.parse(JSON.stringify(result.state)), "state");
      const requests = simulator.requestCount - before;
      return {
        ...result,
        requests,
        paths: requests === 0 ? [] : simulator.requests.slice(-requests).map((r) => r.path),
        tally,
        events,
        warnings: events.flatMap((e) => (e.type === "warning" ? [e.message] : [])),
        tookMs: clock.monotonic() - startedMs,
      };
    },
    plan(settings = {}, streams) {
      const config = configOf(settings);
      const plan = planOf(
        config,
        selectStreams(streams, () => false),
        self.state,
      );
      const source = realSource(config, io, () => undefined);
      const { signal } = new AbortController();
      return estimate({ io, config, plan, source, state: self.state, signal });
    },
  };
  return self;
}

function tableSink(tables: Map<string, Map<string, Row>> | undefined): Sink {
  const keys = new Map(STREAMS.map((def) => [def.name, def.primaryKey]));
  const waiting: Checkpoint[] = [];
  return {
    name: "tables",
    open: () => Promise.resolve(),
    declare: () => Promise.resolve(),
    write: ({ stream, rows, checkpoint }) => {
      if (checkpoint !== null) waiting.push(checkpoint);
      const table = tables?.get(stream) ?? new Map<string, Row>();
      tables?.set(stream, table);
      if (tables !== undefined) {
        for (const row of rows) {
          const key = (keys.get(stream) ?? []).map((name): Json => row[name] ?? null);
          table.set(canonical(key), row);
        }
      }
      return Promise.resolve(waiting.splice(0));
    },
    end: () => Promise.resolve(waiting.splice(0)),
    flush: () => Promise.resolve(waiting.splice(0)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
