import { DEPARTMENTS } from "../data/company.js";
import { TEMPLATES, type Template } from "../data/content.js";
import { at, below, DRAW, mix, pick, unit } from "./random.js";
import { addMonths, DAY_MS, HOUR_MS, onWeekday } from "./time.js";
import { nowOf, type World } from "./world.js";

/** One phishing security test, as it was set up. */
export interface PhishingTest {
  /** Position, oldest first. */
  readonly k: number;
  readonly id: number;
  readonly campaignId: number;
  readonly campaignName: string;
  readonly startsAt: number;
  readonly endsAt: number;
  /** Days over which mails are sent, and days of waiting after. */
  readonly sendDays: number;
  readonly trackDays: number;
  /** A test with an error never ran. */
  readonly isError: boolean;
  /** Position of the only department that gets it; null for all users. */
  readonly department: number | null;
  /** Null where each recipient gets a template of their own. */
  readonly template: Template | null;
  /** Share of usual people that fall for it. */
  readonly clickRate: number;
  /** Share of usual people that report it. */
  readonly reportRate: number;
}

/** The last test started so many days before day 0, and is open. */
const LAST_STARTED_DAYS_AGO = 4;
const FIRST_TEST_ID = 509_507;
const ERROR_EVERY = 17;
const TARGETED_EVERY = 8;

/** Tests that have been created by now, oldest first. */
export function testsOf(world: World): readonly PhishingTest[] {
  const now = nowOf(world);
  const tests: PhishingTest[] = [];
  if (world.tests === 0) return tests;
  for (let k = 0; ; k++) {
    const test = testAt(world, k);
    if (test.startsAt > now) return tests;
    tests.push(test);
  }
}

export function testById(world: World, id: number): PhishingTest | undefined {
  return testsOf(world).find((test) => test.id === id);
}

export function isOpen(test: PhishingTest, now: number): boolean {
  return !test.isError && test.endsAt > now;
}

export function templateFor(test: PhishingTest, base: number): Template {
  return test.template ?? pick(TEMPLATES, base, 20);
}

const scheduled = new WeakMap<World, PhishingTest[]>();

function testAt(world: World, k: number): PhishingTest {
  const known = scheduled.get(world) ?? [];
  scheduled.set(world, known);
  return (known[k] ??= schedule(world, k));
}

function schedule(world: World, k: number): PhishingTest {
  const base = mix(world.seed, DRAW.test, k);
  const last = world.tests - 1;
  const startsAt = startOf(world, k, base);
  const isError = k % ERROR_EVERY === 3 && k < last - 1 && last >= 6;
  const isTargeted = !isError && k % TARGETED_EVERY === 5 && k !== last;
  const department = isTargeted ? 1 + below(DEPARTMENTS.length - 1, base, 1) : null;
  // Some accounts watch a quarterly test for weeks: then two are open.
  const isLong = k === last - 1 && unit(mix(world.seed, DRAW.test, -1), 1) < 0.5;
  const sendDays = 3;
  const trackDays = isLong ? 37 : k === last ? 7 : at([3, 5, 7], below(3, base, 2));
  return {
    k,
    id: FIRST_TEST_ID + k * 79,
    ...campaignFor(k, startsAt, isError, department),
    startsAt,
    endsAt: startsAt + (sendDays + trackDays) * DAY_MS,
    sendDays,
    trackDays,
    isError,
    department,
    template: unit(base, 3) < 0.12 ? null : at(TEMPLATES, k + below(2, base, 4) * 5),
    // A quarter of the people fall for the first test; after a year about one in twelve.
    clickRate: (0.055 + 0.2 * Math.exp(-k / 7)) * (0.85 + unit(base, 5) * 0.3),
    reportRate: 0.1 + 0.42 * (1 - Math.exp(-k / 11)),
  };
}

function startOf(world: World, k: number, base: number): number {
  const last = world.dayZero - LAST_STARTED_DAYS_AGO * DAY_MS + 9 * HOUR_MS;
  const month = k - (world.tests - 1);
  if (month === 0) return onWeekday(last);
  return onWeekday(addMonths(last, month) + (below(5, base, 0) - 2) * DAY_MS);
}

function campaignFor(
  k: number,
  startsAt: number,
  isError: boolean,
  department: number | null,
): Pick<PhishingTest, "campaignId" | "campaignName"> {
  if (isError) return { campaignId: 240_000 + k * 41, campaignName: `Trial run ${k}` };
  if (department !== null) {
    const { name } = at(DEPARTMENTS, department);
    return { campaignId: 240_000 + k * 41, campaignName: `${name} spear phishing` };
  }
  const year = new Date(startsAt).getUTCFullYear();
  return {
    campaignId: 229_000 + (year - 2_000) * 101,
    campaignName: `Monthly Phishing Test ${year}`,
  };
}
