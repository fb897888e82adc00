import { clamp, round, type Row } from "./json.js";
import type { Person } from "./population.js";
import { DRAW, mix, unit } from "./random.js";
import { DAY_MS, dateOf } from "./time.js";
import { leavesAt, type World } from "./world.js";

/** Days after which a person's score is looked at again; it stands still between. */
const PERSONAL_EVERY = 7;

/**
 * Risk of the whole account, 0 to 100, so many days after day 0. It falls as people learn, climbs a
 * little before every year's training, and wavers.
 */
export function accountRisk(world: World, day: number): number {
  return round(trend(world, day), 1);
}

/** Risk of a group whose people are so many points above the account's. */
export function groupRisk(
  world: World,
  { id, bias }: { readonly id: number; readonly bias: number },
  day: number,
): number {
  const score = trend(world, day) + bias + 2 * waver(world.seed, id, day, 21);
  return round(clamp(score, 1, 95), 3);
}

export function personRisk(world: World, person: Person, day: number): number {
  const step = Math.floor((day + person.index) / PERSONAL_EVERY) * PERSONAL_EVERY - person.index;
  const from = dayOf(world, person.joinedAt);
  const habits = (Math.min(person.credulous, 4) - 0.8) * 13 + (person.late - 1) * 3;
  const noise = unit(mix(world.seed, DRAW.risk, person.index, step), 0) * 5 - 2.5;
  const score = trend(world, Math.max(step, from)) + habits - (person.vigilant - 1) * 5 + noise;
  return round(clamp(score, 1, 98), 3);
}

/**
 * Rows of a risk history, a day each, oldest first.
 *
 * @param first day from which there are rows, relative to day 0; `last` likewise.
 */
export function* history(
  world: World,
  first: number,
  last: number,
  score: (day: number) => number,
): Generator<Row> {
  for (let day = first; day <= last; day++) {
    yield { risk_score: score(day), date: dateOf(world.dayZero + day * DAY_MS) };
  }
}

/** The first and the last day of a person's history, relative to day 0. */
export function personDays(world: World, person: Person): readonly [first: number, last: number] {
  const left = dayOf(world, leavesAt(world, person));
  return [dayOf(world, person.joinedAt), Math.min(world.day, left)];
}

/** The first day of the account's history, relative to day 0. */
export function firstDay(world: World): number {
  return dayOf(world, world.launchedAt);
}

function dayOf(world: World, ms: number): number {
  return Math.floor((ms - world.dayZero) / DAY_MS);
}

function trend(world: World, day: number): number {
  const age = day - firstDay(world);
  const season = 1.8 * Math.sin(((day + world.seed * 31) / 365) * 2 * Math.PI);
  return 24 + 24 * Math.exp(-age / 420) + season + 1.2 * waver(world.seed, 0, day, 16);
}

/** A smooth walk between -1 and 1 that changes direction every `period` days. */
function waver(seed: number, id: number, day: number, period: number): number {
  const knot = Math.floor(day / period);
  const share = day / period - knot;
  const ease = share * share * (3 - 2 * share);
  const from = unit(mix(seed, DRAW.risk, -1 - id, knot), 1);
  const to = unit(mix(seed, DRAW.risk, -1 - id, knot + 1), 1);
  return (from + (to - from) * ease) * 2 - 1;
}
