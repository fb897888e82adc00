import { expect, test } from "vitest";

import { startSimulator } from "../../src/simulator/index.js";
import { DAY_MS } from "../../src/core/clock.js";
import { LARGE, office, type Ran } from "./support.js";

/** What users pay: requests of an account of 5,000 seats, 60 tests and 23 training campaigns. */

/** Days until the next test starts: the schedule does not depend on the number of people. */
async function daysToNextTest(): Promise<number> {
  await using small = await startSimulator({ ...LARGE, users: 30 });
  const count = () => [...small.account.rows("security_tests")].length;
  const before = count();
  while (count() === before) small.advance(1);
  return small.account.day;
}

const planned = (ran: Ran): number => ran.tally.total().planned;

test.each([
  ["page", 0.07],
  ["cursor", 0.056],
] as const)(
  "by %s, an unchanged account takes at most %d of the first run, an ordinary day 0.14",
  async (paging, most) => {
    const a = await office({ ...LARGE, paging });
    const days = await daysToNextTest();

    const estimated = await a.plan();
    const first = await a.sync();
    const again = await a.plan();
    const unchanged = await a.sync();
    a.simulator.advance(days - 1);
    a.clock.advance((days - 1) * DAY_MS);
    const caughtUp = await a.sync();
    a.simulator.advance(1);
    a.clock.advance(DAY_MS);
    const ordinary = await a.sync();

    const runs = [first, unchanged, caughtUp, ordinary];
    expect(runs.map((run) => run.error)).toEqual(runs.map(() => undefined));
    expect(unchanged.requests / first.requests).toBeLessThanOrEqual(most);
    expect(ordinary.tally.streams.get("security_test_recipients")?.requests).toBeGreaterThan(0);
    expect(ordinary.requests / first.requests).toBeLessThanOrEqual(0.14);
    // The plan was made before, and again before each stream.
    const within = (plan: number, fact: number) =>
      expect(Math.abs(plan - fact) / fact).toBeLessThanOrEqual(0.1);
    within(estimated.first.requests, first.requests);
    within(again.next.requests, unchanged.requests);
    within(planned(first), first.requests);
    within(planned(ordinary), ordinary.requests);
    for (const run of runs) within(planned(run), run.requests);
  },
  180_000,
);

test.each([
  [500, "page"],
  [500, "cursor"],
  [2_000, "page"],
  [2_000, "cursor"],
  [5_000, "cursor"],
] as const)(
  "the plan of a first run of %d people by %s is within a tenth of it",
  async (users, paging) => {
    const a = await office({ users, paging });

    const ran = await a.sync();

    expect(Math.abs(planned(ran) - ran.requests) / ran.requests).toBeLessThanOrEqual(0.1);
  },
  60_000,
);
