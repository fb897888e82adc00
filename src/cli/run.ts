import type { Config } from "../config/schema.js";
import { ConnectorError } from "../core/errors.js";
import type { SyncEvent } from "../core/events.js";
import { makePlan, unknownStream, type Selection, type SyncPlan } from "../core/plan.js";
import type { PageSource, Sink } from "../core/ports.js";
import type { ReadSettings } from "../core/read/context.js";
import type { State } from "../core/state.js";
import { sync, type SyncResult } from "../core/sync.js";
import { STREAMS } from "../../streams/index.js";
import type { Io } from "./io.js";
import { privacyOf } from "./privacy.js";
import type { Signals } from "./signals.js";

/** Selections for streams named on the command line, or for the default ones. */
export function selectStreams(
  names: readonly string[] | undefined,
  fullRefresh: (stream: string) => boolean,
): readonly Selection[] {
  const chosen = names ?? STREAMS.filter((s) => s.selectedByDefault !== false).map((s) => s.name);
  return chosen.map((stream) => ({
    stream,
    deselected: new Set(),
    fullRefresh: fullRefresh(stream),
  }));
}

/** The plan of a run under this configuration. */
export function planOf(config: Config, selections: readonly Selection[], state: State): SyncPlan {
  const endpointOnly = new Set(config.group_members === "endpoint" ? ["group_members"] : []);
  const first = config.priority
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const names = STREAMS.map((def) => def.name);
  const unknown = first.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const { message, hint } = unknownStream(unknown, names);
    throw new ConnectorError("config", `priority: ${message}`, hint === undefined ? {} : { hint });
  }
  return makePlan(STREAMS, selections, state, { endpointOnly, first });
}

/** What the settings say about reading. */
function readSettings(config: Config): ReadSettings {
  return {
    concurrency: config.concurrency,
    pageSize: config.page_size,
    lookbackDays: config.lookback_days,
    reverifyDays: config.reverify_days,
    maxRejects: config.max_rejects,
    startDate: config.start_date ?? null,
  };
}

/** Runs a plan from a source into a sink. */
export function runPlan(options: {
  readonly io: Io;
  readonly config: Config;
  readonly plan: SyncPlan;
  readonly source: PageSource;
  readonly sink: Sink;
  readonly signals: Signals;
  readonly emit: (event: SyncEvent) => void;
}): Promise<SyncResult> {
  const { io, config, plan, source, sink, signals, emit } = options;
  return sync({
    runId: newRunId(io),
    plan,
    source,
    sink,
    settings: readSettings(config),
    privacy: privacyOf(config),
    onQuota: config.on_quota_exhausted === "fail" ? "drop" : "keep",
    clock: io.clock,
    emit,
    stop: signals.stop,
    kill: signals.kill,
  });
}

/** Sortable by time, unique enough for one destination. */
export function newRunId(io: Io): string {
  const tail = Math.floor(io.random() * 36 ** 6)
    .toString(36)
    .padStart(6, "0");
  return `${io.clock.now().toString(36)}${tail}`;
}
