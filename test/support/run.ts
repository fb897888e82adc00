import type { SyncEvent } from "../../src/core/events.js";
import { makePlan, type PlanOptions, type Selection } from "../../src/core/plan.js";
import type { Privacy } from "../../src/core/privacy/privacy.js";
import type { ReadSettings } from "../../src/core/read/context.js";
import type { Row } from "../../src/core/record.js";
import { EMPTY_STATE, type Bookmark, type State } from "../../src/core/state.js";
import type { StreamDef } from "../../src/core/stream.js";
import { sync, type SyncResult } from "../../src/core/sync.js";
import { fakeClock, FAKE_START } from "./clock.js";
import { recordingSink, type RecordingSink } from "./sink.js";
import { scriptedSource, type ScriptedSource, type Script } from "./source.js";
import { REGISTRY } from "./streams.js";

/** What {@link run} is given; everything has a default but the script. */
export interface RunOptions {
  readonly registry?: readonly StreamDef[];
  /** Streams to read, by name or with a selection of their own. */
  readonly streams: readonly (string | (Partial<Selection> & { readonly stream: string }))[];
  readonly script?: Script;
  readonly source?: ScriptedSource;
  readonly sink?: RecordingSink;
  readonly state?: State;
  readonly settings?: Partial<ReadSettings>;
  readonly privacy?: Privacy;
  readonly onQuota?: "keep" | "drop";
  readonly endpointOnly?: PlanOptions["endpointOnly"];
  /** Start of the run: an instant, or days after {@link FAKE_START}. */
  readonly at?: string | number;
  readonly stop?: AbortSignal;
  readonly kill?: AbortSignal;
}

/** A run that is over, and what can be seen of it from outside. */
export interface Ran extends SyncResult {
  readonly sink: RecordingSink;
  readonly source: ScriptedSource;
  readonly requests: readonly string[];
  readonly events: readonly SyncEvent[];
  /** Texts of the warnings, in order. */
  readonly warnings: readonly string[];
  rows(stream: string): readonly Row[];
  /** Bookmark of a stream in the state that came out. */
  bookmark(stream: string): Bookmark | undefined;
  /** Status of a stream, or undefined if it had no outcome. */
  status(stream: string): string | undefined;
}

const SETTINGS: ReadSettings = {
  concurrency: 2,
  pageSize: 500,
  lookbackDays: 10,
  reverifyDays: 30,
  maxRejects: 0,
  startDate: null,
};

/** Runs `sync()` over the test streams, in memory. */
export async function run(options: RunOptions): Promise<Ran> {
  const source = options.source ?? scriptedSource(options.script ?? {});
  const sink = options.sink ?? recordingSink();
  const events: SyncEvent[] = [];
  const selections = options.streams.map((s) =>
    selection(typeof s === "string" ? { stream: s } : s),
  );
  const plan = makePlan(options.registry ?? REGISTRY, selections, options.state ?? EMPTY_STATE, {
    endpointOnly: options.endpointOnly ?? new Set(),
  });
  const result = await sync({
    runId: "run-1",
    plan,
    source,
    sink,
    settings: { ...SETTINGS, ...options.settings },
    ...(options.privacy === undefined ? {} : { privacy: options.privacy }),
    ...(options.onQuota === undefined ? {} : { onQuota: options.onQuota }),
    clock: fakeClock(startOf(options.at ?? 0)),
    emit: (event) => events.push(event),
    stop: options.stop ?? new AbortController().signal,
    kill: options.kill ?? new AbortController().signal,
  });
  return {
    ...result,
    sink,
    source,
    requests: source.requests,
    events,
    warnings: events.flatMap((e) => (e.type === "warning" ? [e.message] : [])),
    rows: (stream) => sink.rows(stream),
    bookmark: (stream) => result.state.bookmarks[stream],
    status: (stream) => result.outcomes.find((o) => o.stream === stream)?.status,
  };
}

function startOf(at: string | number): number {
  return typeof at === "string" ? Date.parse(at) : FAKE_START + at * 86_400_000;
}

/** A selection of everything in a stream, unless it says otherwise. */
export function selection(chosen: Partial<Selection> & { readonly stream: string }): Selection {
  return { deselected: new Set(), fullRefresh: false, ...chosen };
}
