import { expect, test } from "vitest";

import { DAY_MS } from "../../src/core/clock.js";
import { LARGE, office } from "./support.js";

/** A first sync under the quota that KnowBe4 documents, on a clock that nobody waits for. */

const REAL = { perSecond: 4, perMinute: 50, perDay: 7_000 };

/** One request at a time: while one is on its way, no other one moves the clock. */
const ALONE = { concurrency: 1, retry: { max_attempts: 1 } };

test("5,000 seats finish in exactly the predicted number of runs, within the quota", async () => {
  const a = await office({ ...LARGE, paging: "cursor", quota: REAL });
  // A part of the day is somebody else's, so that one day is not enough.
  const settings = { ...ALONE, rate_limit: { reserve: 6_700 } };
  const made: number[] = [];

  const planned = await a.plan(settings);
  a.clock.advance(60_000);
  let error: string | undefined;
  do {
    if (made.length > 0) a.clock.advance(DAY_MS + 900_000);
    const ran = await a.sync(settings);
    error = ran.error?.kind;
    made.push(ran.requests);
  } while (error === "quota" && made.length < 10);

  expect(error).toBeUndefined();
  expect(planned.quota).toMatchObject({ per_day: 300, seats: 5_000 });
  expect(made).toHaveLength(planned.first.days);
  expect(made.length).toBeGreaterThan(1);
  for (const requests of made) expect(requests).toBeLessThanOrEqual(300);
}, 180_000);

test("a sync under 50 a minute takes as long as its requests need, and 3 percent at most beyond", async () => {
  const a = await office({ ...LARGE, users: 2_000, paging: "cursor", quota: REAL });

  const ran = await a.sync({ ...ALONE, rate_limit: {} });

  expect(ran.error).toBeUndefined();
  const ideal = (ran.requests / 50) * 60_000;
  expect(ran.requests).toBeGreaterThan(200);
  // The last minute's share need not be waited for: up to a minute less.
  expect(ran.tookMs).toBeLessThanOrEqual(ideal * 1.03);
  expect(ran.tookMs).toBeGreaterThan(ideal - 60_000);
}, 60_000);
