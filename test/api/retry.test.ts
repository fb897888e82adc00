import { describe, expect, test } from "vitest";

import { FAKE_START, fakeClock } from "../support/clock.js";
import { bench, errorOf, readAll, readOnce, rows } from "./support/client.js";
import { play, send, serve } from "./support/server.js";

describe("a server's own number", () => {
  test("is waited out exactly when it is seconds", async () => {
    const server = await play({ status: 429, headers: { "retry-after": "3" } }, { body: rows(1) });
    const { source, clock } = bench(server.url);

    expect(await readOnce(source())).toEqual(rows(1));
    expect(clock.slept).toEqual([3_000]); // milliseconds, exactly: no jitter on a server's own number
  });

  test("is waited out exactly when it is a date", async () => {
    const at = new Date(FAKE_START + 90_000).toUTCString();
    const server = await play({ status: 503, headers: { "retry-after": at } }, { body: rows(1) });
    const { source, clock } = bench(server.url);

    await readOnce(source());

    expect(clock.slept).toEqual([90_000]);
  });

  test.each([
    ["seconds from now", "20"],
    ["seconds since 1970", String(FAKE_START / 1000 + 20)],
  ])("is taken from X-RateLimit-Reset as %s", async (_, reset) => {
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
    const server = await play({ status: 429, headers }, { body: rows(1) });
    const { source, clock } = bench(server.url);

    await readOnce(source());

    expect(clock.slept).toEqual([20_000]);
  });

  test("of a window that has opened again does not bring it back at once", async () => {
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "0" };
    const server = await play({ status: 429, headers }, { body: rows(1) });
    const { source, clock } = bench(server.url);

    await readOnce(source());

    expect(clock.slept).toEqual([6_000]);
  });

  test.each([
    ["that is no number and no date", "soon"],
    ["that asks for no time at all", "0"],
    ["that is a negative number", "-1"],
    ["that is over by our clock", "Sun, 31 May 2026 23:58:00 GMT"],
  ])("%s is as if there were none", async (_, value) => {
    const server = await play(
      { status: 503, headers: { "retry-after": value } },
      { body: rows(1) },
    );
    const { source, clock } = bench(server.url);

    await readOnce(source());

    expect(clock.slept).toEqual([500]);
  });

  test("holds back every request, not only the one that was told", async () => {
    let told = false;
    const clock = fakeClock();
    const times: number[] = [];
    const server = await serve((_, response) => {
      times.push(clock.monotonic());
      if (!told) send(response, { status: 429, headers: { "retry-after": "7" } });
      else send(response, { body: rows(1) });
      told = true;
    });
    const { source } = bench(server.url, { clock });
    const reader = source();
    await Promise.all([readOnce(reader), readOnce(reader, { path: "/v1/groups" })]);
    const [first = 0, ...others] = times;

    // The second was on its way by then; what follows waited.
    expect(others.filter((at) => at - first >= 7_000).length).toBeGreaterThanOrEqual(1);
    expect(clock.slept).toEqual([7_000]);
  });

  test("of none left, on an answer, pauses until the window opens again", async () => {
    const server = await serve((_, response, n) => {
      const headers = n === 1 ? { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "12" } : {};
      send(response, { headers, body: n < 3 ? rows(1, n) : [] });
    });
    const { source, clock } = bench(server.url, { pagination: "page" });

    expect(await readAll(source())).toEqual(rows(2));
    expect(clock.slept).toEqual([12_000]);
  });

  test("beyond our patience ends the run, with when to come back", async () => {
    const server = await play({ status: 429, headers: { "retry-after": "7200" } });
    const { source, clock } = bench(server.url);

    const error = await errorOf(readOnce(source()));

    expect(server.requests).toHaveLength(1);
    expect(clock.slept).toEqual([]);
    expect(error.kind).toBe("quota");
    expect(error.message).toBe(
      "users: GET /v1/users answered 429 and asks to wait until 2026-06-01T02:00:00.000Z",
    );
    expect(error.context).toMatchObject({ nextAt: "2026-06-01T02:00:00.000Z", status: 429 });
  });

  test.each([
    ["retry-after", "9999999999"],
    ["x-ratelimit-reset", "999999999999"],
  ])("of centuries, in %s, is one of a day: no window is longer", async (name, value) => {
    const server = await play({ status: 429, headers: { [name]: value } });

    const error = await errorOf(readOnce(bench(server.url).source()));

    expect(error.context).toMatchObject({ nextAt: "2026-06-02T00:00:00.000Z" });
  });

  test("beyond our patience is waited out where the settings say wait", async () => {
    const server = await play(
      { status: 429, headers: { "retry-after": "7200" } },
      { body: rows(1) },
    );
    const { source, clock, events } = bench(server.url, { onQuotaExhausted: "wait" });

    expect(await readOnce(source())).toEqual(rows(1));
    expect(clock.slept).toEqual([7_200_000]);
    expect(events).toContainEqual(expect.objectContaining({ type: "waiting", waitMs: 7_200_000 }));
  });

  test("beyond our patience with 503 is not the quota", async () => {
    const server = await play({ status: 503, headers: { "retry-after": "7200" } });

    const error = await errorOf(readOnce(bench(server.url).source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain("answered 503 and asks to wait until 2026-06-01T02:00:00.000Z");
  });
});

describe("waits between attempts", () => {
  test("double, with full jitter", async () => {
    const server = await play({ status: 500 });
    const { source, clock } = bench(server.url);

    const error = await errorOf(readOnce(source()));

    expect(server.requests).toHaveLength(8);
    expect(clock.slept).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
    expect(error.message).toBe("users: GET /v1/users answered 500 8 times in 62 s");
  });

  test("grow to the minute after 429 without a number, and hold back every request", async () => {
    const server = await play({ status: 429 });
    const { source, clock } = bench(server.url);

    const error = await errorOf(readOnce(source()));

    expect(error.kind).toBe("quota");
    expect(clock.slept).toEqual([6_000, 12_000, 24_000, 45_000, 45_000, 45_000, 45_000]);
  });

  test("end when the time for the request would be over", async () => {
    const server = await play({ status: 500 });
    const { source, clock } = bench(server.url, {
      retry: { maxAttempts: 50, maxSeconds: 10 },
    });

    const error = await errorOf(readOnce(source()));

    expect(clock.slept.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(10_000);
    expect(error.message).toBe("users: GET /v1/users answered 500 5 times in 8 s");
  });

  test("are told from some seconds on", async () => {
    const server = await play({ status: 502 });
    const { source, events } = bench(server.url);

    await errorOf(readOnce(source()));

    expect(events.filter((e) => e.type === "waiting")).toEqual(
      [8_000, 16_000, 30_000].map((waitMs) => ({
        type: "waiting",
        reason: "users: GET /v1/users answered 502: trying again",
        waitMs,
      })),
    );
  });

  test("are not counted as one kind of failure where there were several", async () => {
    const server = await play({ status: 500 }, { status: 503 }, { status: 502 });
    const { source } = bench(server.url, { retry: { maxAttempts: 3, maxSeconds: 60 } });

    const error = await errorOf(readOnce(source()));

    expect(error.message).toBe(
      "users: GET /v1/users failed 3 times in 2 s; at last it answered 502",
    );
  });

  test("say the page", async () => {
    const server = await serve((seen, response) => {
      send(
        response,
        seen.query["page"] === "3"
          ? { status: 500 }
          : { body: rows(1, Number(seen.query["page"])) },
      );
    });
    const { source } = bench(server.url, { pagination: "page" });

    const error = await errorOf(readAll(source()));

    expect(error.message).toBe("users: GET /v1/users page 3 answered 500 8 times in 62 s");
  });

  test("count as requests against the limits", async () => {
    const server = await play({ status: 500 });
    const { source, client } = bench(server.url, {
      rateLimit: { perSecond: 0, perMinute: 0, perDay: 5 },
    });

    const error = await errorOf(readOnce(source()));

    expect(error.kind).toBe("quota");
    expect(server.requests).toHaveLength(5);
    expect(client.quota).toEqual({ used: 5, remaining: 0, allowance: 5 });
  });

  test("are not repeated for every listing while nobody answers at all", async () => {
    const { source, clock } = bench("http://127.0.0.1:1", {
      retry: { maxAttempts: 4, maxSeconds: 600 },
    });
    const api = source();

    await errorOf(readOnce(api));
    const slept = clock.slept.length;
    const second = await errorOf(readOnce(api));

    expect(slept).toBe(3);
    expect(clock.slept).toHaveLength(slept);
    expect(second.kind).toBe("unavailable");
  });

  test("are repeated in full again once somebody has answered", async () => {
    const server = await play({ status: 500 }, { status: 500 }, { status: 500 }, { body: rows(1) });
    const { source } = bench(server.url, { retry: { maxAttempts: 2, maxSeconds: 600 } });
    const api = source();

    await errorOf(readOnce(api));

    expect(await readOnce(api)).toEqual(rows(1));
  });
});
