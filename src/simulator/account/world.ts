import type { Listing } from "./listing.js";
import { memo, type Memo } from "./memo.js";
import { createPopulation, type Person, type Population } from "./population.js";
import type { Tally } from "./tally.js";
import { addMonths, DAY_MS, HOUR_MS, startOfDay } from "./time.js";

/** What somebody changed, on top of the natural course. Everything else is computed. */
export interface Overrides {
  /** Instant at which a person was archived, by index. */
  readonly archivedAt: Map<number, number>;
  /** Indexes of people who were anonymised. */
  readonly erased: Set<number>;
  /** Whether a person is in a group, by index and group id, where it differs from the natural. */
  readonly moves: Map<number, Map<number, boolean>>;
  /** Names of groups, by id. */
  readonly groupNames: Map<number, string>;
  /** Instants of additional clicks, by recipient id. */
  readonly clicks: Map<number, number>;
  /** Ids of recipients whose failures were removed, by test. */
  readonly cleared: Map<number, Set<number>>;
  /** Instant of the last reset and how many there were, by enrollment id. */
  readonly resets: Map<number, { readonly at: number; readonly times: number }>;
  /** Instants at which somebody was marked as passed, by enrollment id. */
  readonly passes: Map<number, number>;
  readonly deletedEnrollments: Set<number>;
  /** Name and end of training campaigns, by position. */
  readonly campaignEdits: Map<number, { readonly name: string; readonly endsAt: number }>;
}

/** Everything that a row is computed from. */
export interface World {
  readonly seed: number;
  /** Active people on day 0. */
  readonly size: number;
  /** Phishing tests on day 0. */
  readonly tests: number;
  /** Training campaigns on day 0. */
  readonly trainingCampaigns: number;
  /** Midnight of day 0. */
  readonly dayZero: number;
  /** When the account was opened: before everything else in it. */
  readonly launchedAt: number;
  readonly population: Population;
  readonly overrides: Overrides;
  /** Days that have passed. */
  day: number;
  /** Grows with every day and every change: a cache made at one version is right for that version. */
  version: number;
  readonly memos: {
    /** Indexes of a group's members. */
    readonly members: Memo<Int32Array>;
    /** Indexes of a test's recipients. */
    readonly recipients: Memo<Int32Array>;
    readonly tallies: Memo<Tally>;
    /** Slots of a training campaign: person and item in one number. */
    readonly slots: Memo<Int32Array>;
    /** Percentage of a training campaign's enrollments that are completed. */
    readonly completion: Memo<number>;
    /** Lists that take long to put together, by what was asked for. */
    readonly listings: Memo<Listing>;
  };
}

export interface WorldOptions {
  readonly users?: number;
  readonly seed?: number;
  readonly today?: string;
  readonly tests?: number;
  readonly trainingCampaigns?: number;
}

/** The clock stands at six in the evening: what happens during a day has happened. */
const TIME_OF_DAY = 18 * HOUR_MS;

/** @throws RangeError for numbers of people or things that an account cannot have. */
export function createWorld(options: WorldOptions = {}): World {
  const { users = 1_000, seed = 1, today = "2026-06-01", tests = 24 } = options;
  const { trainingCampaigns = 12 } = options;
  requireWhole("users", users, 1, 50_000);
  requireWhole("seed", seed, 0, 2 ** 32);
  requireWhole("tests", tests, 0, 1_000);
  requireWhole("trainingCampaigns", trainingCampaigns, 0, 1_000);
  const dayZero = startOfDay(today);
  const months = Math.max(24, tests, Math.ceil(trainingCampaigns * 1.4)) + 4;
  const launchedAt = addMonths(dayZero, -months) + 8 * HOUR_MS;
  const world: World = {
    seed,
    size: users,
    tests,
    trainingCampaigns,
    dayZero,
    launchedAt,
    population: createPopulation({ seed, size: users, launchedAt, dayZero }),
    overrides: noOverrides(),
    day: 0,
    version: 0,
    memos: {
      members: memo(64),
      recipients: memo(16),
      tallies: memo(2_000),
      slots: memo(32),
      completion: memo(2_000),
      listings: memo(16),
    },
  };
  return world;
}

/** The present, in milliseconds. */
export function nowOf(world: World): number {
  return world.dayZero + world.day * DAY_MS + TIME_OF_DAY;
}

/** When a person leaves, or Infinity-like far in the future. */
export function leavesAt(world: World, person: Person): number {
  const { archivedAt } = world.overrides;
  if (archivedAt.size === 0) return person.leavesAt;
  return Math.min(archivedAt.get(person.index) ?? Infinity, person.leavesAt);
}

/** Whether nothing is left of a person but what others count. */
export function isErased(world: World, person: Person): boolean {
  return person.erased || world.overrides.erased.has(person.index);
}

/** In the account at that instant, and not archived. */
export function isActive(world: World, person: Person, at: number): boolean {
  return person.joinedAt <= at && at < leavesAt(world, person);
}

function noOverrides(): Overrides {
  return {
    archivedAt: new Map(),
    erased: new Set(),
    moves: new Map(),
    groupNames: new Map(),
    clicks: new Map(),
    cleared: new Map(),
    resets: new Map(),
    passes: new Map(),
    deletedEnrollments: new Set(),
    campaignEdits: new Map(),
  };
}

function requireWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`${name}: ${value} is not a whole number from ${min} to ${max}`);
}
