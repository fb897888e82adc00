import { setImmediate as nextTurn } from "node:timers/promises";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { RateLimiter, type LimiterOptions, type RateLimits } from "../../src/api/limiter.js";
import { DAY_MS, type Clock } from "../../src/core/clock.js";
import type { SyncEvent } from "../../src/core/events.js";
import { FAKE_START, fakeClock } from "../support/clock.js";
import { errorOf, noAbort } from "./support/client.js";

const OFF: RateLimits = { perSecond: 0, perMinute: 0, perDay: 0, reserve: 0 };

function setUp(limits: Partial<RateLimits>, options: Partial<LimiterOptions> = {}) {
  const clock = fakeClock();
  const events: SyncEvent[] = [];
  const limiter = new RateLimiter({
    clock,
    emit: (event) => events.push(event),
    limits: { ...OFF, ...limits },
    onQuotaExhausted: "stop",
    patienceMs: 600_000,
    ...options,
  });
  return { clock, events, limiter };
}

async function acquire(limiter: RateLimiter, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await limiter.acquire(noAbort());
}

/** Most instants that any window of this length holds. */
function fullest(instants: readonly number[], windowMs: number): number {
  const counts = instants.map(
    (from) => instants.filter((at) => at >= from && at < from + windowMs).length,
  );
  return Math.max(0, ...counts);
}

describe("a rate limiter", () => {
  test("lets a burst through and then waits until the oldest request has left the second", async () => {
    const { clock, limiter } = setUp({ perSecond: 4 });

    await acquire(limiter, 4);
    expect(clock.slept).toEqual([]);
    clock.advance(300);
    await acquire(limiter, 1);

    expect(clock.slept).toEqual([701]);
  });

  test("lets everything through at once when its windows are switched off", async () => {
    const { clock, limiter } = setUp({});

    await acquire(limiter, 500);

    expect(clock.slept).toEqual([]);
    expect(limiter.day.remaining).toBeNull();
  });

  test("never lets more into any second, minute or day than each allows, in any sequence", async () => {
    const limits = fc.record({
      perSecond: fc.integer({ min: 0, max: 5 }),
      perMinute: fc.integer({ min: 0, max: 12 }),
      perDay: fc.integer({ min: 0, max: 30 }),
    });
    const gaps = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 1_500 }), fc.integer({ max: DAY_MS, min: 0 })),
      {
        maxLength: 60,
      },
    );
    await fc.assert(
      fc.asyncProperty(limits, gaps, async (limit, steps) => {
        const { clock, limiter } = setUp(limit, { onQuotaExhausted: "wait" });
        const instants: number[] = [];
        for (const gap of steps) {
          clock.advance(gap);
          await limiter.acquire(noAbort());
          instants.push(clock.monotonic());
        }
        const within = (windowMs: number, most: number) =>
          most === 0 || fullest(instants, windowMs) <= most;
        return (
          within(1_000, limit.perSecond) &&
          within(60_000, limit.perMinute) &&
          within(DAY_MS, limit.perDay)
        );
      }),
      { numRuns: 60 },
    );
  });

  test("never lets more through when many ask at once, and serves them in their order", async () => {
    const { clock, limiter } = setUp({ perSecond: 3, perMinute: 7 });
    const served: { n: number; at: number }[] = [];

    await Promise.all(
      Array.from({ length: 25 }, async (_, n) => {
        await limiter.acquire(noAbort());
        served.push({ n, at: clock.monotonic() });
      }),
    );

    expect(served.map((s) => s.n)).toEqual(Array.from({ length: 25 }, (_, n) => n));
    expect(
      fullest(
        served.map((s) => s.at),
        1_000,
      ),
    ).toBe(3);
    expect(
      fullest(
        served.map((s) => s.at),
        60_000,
      ),
    ).toBe(7);
  });

  test("asks again when its clock wakes it too early", async () => {
    const early = fakeClock();
    const clock: Clock = { ...early, sleep: (ms) => early.sleep(Math.max(1, ms - 3)) };
    const { limiter } = setUp({ perSecond: 1 }, { clock });

    await acquire(limiter, 1);
    const first = early.monotonic();
    await acquire(limiter, 1);

    expect(early.monotonic() - first).toBeGreaterThan(1_000);
  });

  test("is not confused when somebody sets the machine's clock", async () => {
    const { clock, limiter } = setUp({ perSecond: 1 });

    await acquire(limiter, 1);
    clock.setWall(FAKE_START - DAY_MS);
    await acquire(limiter, 1);

    expect(clock.slept).toEqual([1_001]);
  });

  test("tells of a long wait, and not of its normal pace", async () => {
    const { events, limiter } = setUp({ perSecond: 1, perMinute: 2 });

    await acquire(limiter, 3);

    expect(events).toEqual([{ type: "waiting", reason: "2 requests a minute", waitMs: 59_000 }]);
  });

  test("remembers the requests of a day and no more, however many there were", async () => {
    const { limiter, clock } = setUp({ perSecond: 4, perMinute: 50 });
    for (let i = 0; i < 20_000; i++) {
      clock.advance(13_000);
      await limiter.acquire(noAbort());
    }

    expect(limiter.day.used).toBe(Math.ceil(DAY_MS / 13_000));
    expect(Object.keys(limiter.memory.spent).length).toBeLessThan(100);
    expect(clock.slept).toEqual([]);
  });
});

describe("once the day is spent", () => {
  test("a request ends with when the next one is possible", async () => {
    const { clock, limiter } = setUp({ perDay: 3 });
    await acquire(limiter, 1);
    clock.advance(3_600_000);
    await acquire(limiter, 2);

    expect(limiter.day.remaining).toBe(0);
    const error = await errorOf(limiter.acquire(noAbort()));

    expect(error.kind).toBe("quota");
    expect(error.message).toBe(
      "daily quota: 3 requests made in 24 h; the next is possible at 2026-06-02T00:00:00.001Z",
    );
    expect(error.hint).toContain("rate_limit.per_day");
    expect(clock.slept).toEqual([]);
  });

  test("fail ends it in the same way", async () => {
    const { limiter } = setUp({ perDay: 1 }, { onQuotaExhausted: "fail" });
    await acquire(limiter, 1);

    expect((await errorOf(limiter.acquire(noAbort()))).kind).toBe("quota");
  });

  test("wait sleeps until the oldest request is a day old", async () => {
    const { clock, events, limiter } = setUp({ perDay: 2 }, { onQuotaExhausted: "wait" });

    await acquire(limiter, 3);

    expect(clock.slept.reduce((a, b) => a + b)).toBe(DAY_MS + 1);
    expect(events[0]).toMatchObject({ type: "waiting", reason: "2 requests a day" });
  });

  test("a raised limit lets requests through again, those made before still counted", async () => {
    const { limiter } = setUp({ perDay: 2 });
    await acquire(limiter, 2);

    limiter.day.setLimit(5);
    expect(limiter.day.remaining).toBe(3);
    await acquire(limiter, 3);

    expect((await errorOf(limiter.acquire(noAbort()))).kind).toBe("quota");
  });
});

describe("a pause that the server asks for", () => {
  test("holds back every request until it is over", async () => {
    const { clock, limiter } = setUp({});
    limiter.pauseUntil(clock.monotonic() + 3_000);
    limiter.pauseUntil(clock.monotonic() + 1_000);

    await Promise.all([acquire(limiter, 1), acquire(limiter, 1)]);

    expect(clock.slept).toEqual([3_000]);
  });

  test("that is longer than we wait for ends the run with when to come back", async () => {
    const { clock, limiter } = setUp({}, { patienceMs: 60_000 });
    limiter.pauseUntil(clock.monotonic() + 3_600_000);

    const error = await errorOf(limiter.acquire(noAbort()));

    expect(error.kind).toBe("quota");
    expect(error.message).toContain("until 2026-06-01T01:00:00.000Z");
  });

  test("without a time ends when the oldest request of the minute is a minute old", async () => {
    const { clock, limiter } = setUp({ perMinute: 50 });
    await acquire(limiter, 1);
    clock.advance(20_000);
    await acquire(limiter, 1);

    limiter.pauseForWindow(null);
    await acquire(limiter, 1);

    expect(clock.slept).toEqual([40_001]);
  });
});

describe("a stopped run", () => {
  test("ends whoever waits at once, in the queue as well as in the pause", async () => {
    const { clock } = setUp({});
    const asleep: Clock = {
      ...clock,
      sleep: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    };
    const { limiter } = setUp({ perSecond: 1 }, { clock: asleep });
    const stop = new AbortController();
    await limiter.acquire(stop.signal);
    const waiting = [1, 2, 3].map(() => errorOf(limiter.acquire(stop.signal)));

    await nextTurn();
    stop.abort();

    expect((await Promise.all(waiting)).map((e) => e.kind)).toEqual(Array(3).fill("cancelled"));
  });

  test("does not let those behind it past those before it", async () => {
    const { clock, limiter } = setUp({ perSecond: 1 });
    const stop = new AbortController();
    await acquire(limiter, 1);
    const order: string[] = [];
    const second = limiter.acquire(noAbort()).then(() => order.push("second"));
    const gone = errorOf(limiter.acquire(stop.signal)).then(() => order.push("gone"));
    const last = limiter.acquire(noAbort()).then(() => order.push("last"));

    stop.abort();
    await Promise.all([second, gone, last]);

    expect(order).toEqual(["gone", "second", "last"]);
    expect(clock.slept).toEqual([1_001, 1_001]);
  });
});
