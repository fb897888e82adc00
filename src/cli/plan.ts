import type { Config } from "../config/schema.js";
import { iso } from "../core/clock.js";
import { Parents } from "../core/collect.js";
import { forecast, type Forecast, type Known, type Reading } from "../core/forecast.js";
import type { SyncPlan } from "../core/plan.js";
import type { State } from "../core/state.js";
import { memoryOf } from "../core/state.js";
import type { Io } from "./io.js";
import type { RealSource } from "./source.js";

/** What reading takes as a whole. */
export interface Cost {
  readonly requests: number;
  readonly rows: number;
  readonly minutes: number;
  /** Days of 24 hours, the first one with what is left of its quota. */
  readonly days: number;
}

/** What a sync will take, before anything is read. */
export interface Estimate {
  readonly streams: readonly {
    readonly stream: string;
    readonly first: Forecast;
    readonly next: Forecast;
  }[];
  readonly first: Cost;
  readonly next: Cost;
  readonly quota: {
    /** Requests a day, the reserve taken off; null for no limit. */
    readonly per_day: number | null;
    readonly left_today: number | null;
    readonly per_minute: number;
    readonly seats: number | null;
  };
  /** Whether the row counts are those of an earlier run. */
  readonly counted: boolean;
  readonly warnings: readonly string[];
}

/** Asks the account, and at most one listing, and says what a sync would take. */
export async function estimate(options: {
  readonly io: Io;
  readonly config: Config;
  readonly plan: SyncPlan;
  readonly source: RealSource;
  readonly state: State;
  readonly signal: AbortSignal;
}): Promise<Estimate> {
  const { io, config, plan, source, state, signal } = options;
  const look = await source.look(state, plan, signal);
  const known: Known = {
    pageSize: config.page_size,
    paging:
      config.pagination === "auto" ? (look.paging ?? memoryOf(state).paging) : config.pagination,
    seats: look.seats,
    bookmarks: state.bookmarks,
    reverifyDays: config.reverify_days,
    lookbackDays: config.lookback_days,
    now: iso(io.clock.now()),
  };
  const streams = plan.streams.map(({ def, emit, derived }) => {
    const parents = def.parent === undefined ? undefined : look.parents.get(def.parent.stream);
    const with_ = parents === undefined ? known : { ...known, parents: listed(def, parents) };
    const of = (reading: Reading): Forecast => {
      const found = forecast(def, reading, with_, derived);
      return emit ? found : { ...found, rows: 0 };
    };
    // What is read for others is read whole every time.
    return { stream: def.name, first: of("first"), next: of("next") };
  });
  const { per_minute } = config.rate_limit;
  const whole = plan.streams.filter(({ def }) => def.parent === undefined).map((p) => p.def.name);
  const daily = streams.filter(({ stream }) => whole.includes(stream));
  const base = daily.reduce((sum, { next }) => sum + next.requests, 0);
  const cost = (reading: Reading): Cost => {
    const requests = streams.reduce((sum, s) => sum + s[reading].requests, 0);
    const rows = streams.reduce((sum, s) => sum + s[reading].rows, 0);
    const minutes = per_minute === 0 ? 0 : Math.ceil(requests / per_minute);
    return { requests, rows, minutes, days: daysFor(requests, look.left, look.allowance, base) };
  };
  const quota = {
    per_day: look.allowance,
    left_today: look.left,
    per_minute,
    seats: look.seats,
  };
  const first = cost("first");
  const counted = streams.some(({ stream }) => state.bookmarks[stream] !== undefined);
  const warnings = warningsOf(first, quota.per_day, config.reverify_days, base);
  return { streams, first, next: cost("next"), quota, counted, warnings };
}

type Def = SyncPlan["streams"][number]["def"];

function listed(def: Def, items: readonly unknown[]): Parents["list"] {
  if (def.parent === undefined) return [];
  const parents = new Parents(def, def.parent.stream, def.parent.bind);
  for (const item of items) parents.add(item);
  return parents.list;
}

/** @param base requests of every run that goes on: the listings that are read whole each time. */
function daysFor(
  requests: number,
  left: number | null,
  allowance: number | null,
  base: number,
): number {
  if (left === null || allowance === null || requests <= left) return 1;
  const each = allowance - base;
  return each <= 0 ? Infinity : 1 + Math.ceil((requests - left) / each);
}

function warningsOf(
  first: Cost,
  allowance: number | null,
  reverifyDays: number,
  base: number,
): readonly string[] {
  if (allowance === null || first.days <= reverifyDays) return [];
  const days = Number.isFinite(first.days) ? `${String(first.days)} days` : "no number of days";
  const sum = `${String(first.requests)} requests ÷ (${String(allowance)} a day − ${String(base)} that every run needs)`;
  return [
    `reading everything takes ${days}: ${sum}; but every ${String(reverifyDays)} days (reverify_days) it is read again: raise reverify_days, lower rate_limit.reserve, or read fewer streams`,
  ];
}
