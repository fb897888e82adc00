import { expect, test } from "vitest";

import { DAY_MS } from "../../src/core/clock.js";
import { SOURCE_KEY, type Spent } from "../../src/core/state.js";
import { office, type Office } from "./support.js";

/** One allowance for all runs of a day, and for others. */

const SMALL = { users: 40, tests: 8, trainingCampaigns: 5 } as const;
const USERS = ["users", "account"];

const limits = (perDay: number, more: object = {}) => ({
  rate_limit: { per_second: 0, per_minute: 0, per_day: perDay, ...more },
  concurrency: 1,
});

const spent = (a: Office): number =>
  Object.values<Spent>(a.state.bookmarks[SOURCE_KEY]?.spent ?? {}).reduce(
    (sum, { requests }) => sum + requests,
    0,
  );

test("ten runs of a day share one allowance, and the eleventh is told when it goes on", async () => {
  const a = await office(SMALL);

  const codes: (string | undefined)[] = [];
  for (let run = 0; run < 10; run++) {
    codes.push((await a.sync(limits(33), USERS)).error?.kind);
    a.clock.advance(DAY_MS / 24);
  }

  // Three requests a run: the account, the probe, the people.
  expect(codes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => undefined));
  expect(a.simulator.requestCount).toBe(30);
  const eleventh = await a.sync(limits(33), ["groups", "policies", ...USERS]);
  expect(a.simulator.requestCount).toBe(33);
  expect(eleventh.error?.kind).toBe("quota");
  expect(eleventh.error?.message).toBe(
    "daily quota: 33 requests made in 24 h; the next is possible at 2026-06-02T00:15:00.000Z; complete: account, groups; remaining: policies, users; requests possible: 3 at 2026-06-02T00:15Z, 18 at 2026-06-02T05:15Z, 33 at 2026-06-02T10:15Z",
  );
  a.clock.advance(DAY_MS);
  expect((await a.sync(limits(33), USERS)).error).toBeUndefined();
});

test("a reserve leaves a part of the day to others", async () => {
  const a = await office(SMALL);

  const ran = await a.sync(limits(20, { reserve: 15 }));

  expect(ran.error?.message).toMatch(/^daily quota: 5 requests made in 24 h, 15 kept back; /);
  expect(ran.requests).toBe(5);
});

test.each([
  [limits(20, { reserve: 20 }), "of a day with 20 requests"],
  [limits(0, { reserve: 5 }), "of a day with no limit"],
  [{ rate_limit: { reserve: 2_040 } }, "of a day with 2040 requests"],
])("a reserve that leaves nothing is refused: %j", async (settings, what) => {
  const a = await office(SMALL);

  const ended = await a.sync(settings).then(
    ({ error }) => error,
    (error: unknown) => error,
  );

  expect(ended).toMatchObject({ kind: "config" });
  expect(String(ended)).toContain(`rate_limit.reserve: `);
  expect(String(ended)).toContain(what);
  expect(a.simulator.requestCount).toBeLessThanOrEqual(1);
});

test("a reserve that leaves nothing of the day that the server tells is refused at once", async () => {
  const a = await office({ ...SMALL, quota: { perDay: 2_010, headers: true } });

  const { error, requests } = await a.sync({ rate_limit: { reserve: 2_020 } });

  expect(error?.kind).toBe("config");
  expect(error?.message).toContain("of a day with 2010 requests");
  // Before the seats are known, 2,000 is what holds.
  expect(requests).toBe(2);
});

test("a clock that was set back is told in one line, and the requests count as made now", async () => {
  const a = await office(SMALL);
  await a.sync(limits(20), USERS);
  const before = spent(a);
  a.clock.setWall(a.clock.now() - 3 * DAY_MS);

  const ran = await a.sync(limits(20), USERS);

  expect(ran.warnings).toEqual([
    "the state has requests of 2026-06-01T00:00:00.000Z, but it is 2026-05-29T00:00:00.000Z: the clock was set back; they count as made now",
  ]);
  expect(spent(a)).toBe(before + ran.requests);
});

test("a state of another account is refused before anything else is read", async () => {
  const a = await office(SMALL);
  await a.sync();
  const other = await office({ ...SMALL, seed: 2 });
  other.state = a.state;

  const ran = await other.sync();

  expect(ran.error).toMatchObject({ kind: "state" });
  expect(ran.error?.message).toContain("the state is of another account or region than the key");
  expect(ran.requests).toBe(1);
  expect(JSON.stringify(a.state)).not.toContain(a.simulator.apiKey);
});

test("two programs on one key: the server's refusals are told once, and the run waits them out", async () => {
  const a = await office({ ...SMALL, quota: { perMinute: 6 } });
  for (let n = 0; n < 4; n++) {
    const headers = { authorization: `Bearer ${a.simulator.apiKey}` };
    await fetch(`${a.simulator.url}/v1/account`, { headers });
  }

  const ran = await a.sync({ rate_limit: { per_second: 0, per_minute: 6, per_day: 0 } });

  expect(ran.error).toBeUndefined();
  const told = ran.warnings.filter((line) => line.includes("somebody else uses the quota too"));
  expect(told).toHaveLength(1);
});

test("what the server says of its day corrects the count of a run that does not know of others", async () => {
  const a = await office({ ...SMALL, quota: { perDay: 2_040, headers: true } });
  const headers = { authorization: `Bearer ${a.simulator.apiKey}` };
  for (let n = 0; n < 30; n++) await fetch(`${a.simulator.url}/v1/account`, { headers });

  const ran = await a.sync({ rate_limit: { per_second: 0, per_minute: 0 } }, USERS);

  expect(spent(a)).toBe(30 + ran.requests);
});

test("a pause until tomorrow is remembered: the next run asks for nothing", async () => {
  const a = await office({ ...SMALL, quota: { perDay: 5, retryAfter: true } });
  const settings = { rate_limit: { per_second: 0, per_minute: 0, per_day: 0 } };
  await a.sync(settings);
  a.clock.advance(DAY_MS / 2);

  const ran = await a.sync(settings);

  expect(ran.error?.message).toMatch(/^quota: KnowBe4 asks to wait until 2026-06-02T00:0/);
  expect(ran.requests).toBe(0);
});

test("wait sleeps until the day has room, and then the run is complete", async () => {
  const a = await office(SMALL);

  const ran = await a.sync({ ...limits(12), on_quota_exhausted: "wait" });

  expect(ran.error).toBeUndefined();
  expect(ran.requests).toBeGreaterThan(12);
  expect(ran.tookMs).toBeGreaterThan(DAY_MS);
});
