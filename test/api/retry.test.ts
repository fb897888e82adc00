import { createServer, type Socket } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import type { Clock } from "../../src/core/clock.js";
import { FAKE_START, fakeClock } from "../support/clock.js";
import { bench, errorOf, noAbort, readAll, readOnce, rows } from "./support/client.js";
import { addressOf, listening, play, send, serve } from "./support/server.js";

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

  test("that is no number and no date is as if there were none", async () => {
    const server = await play(
      { status: 503, headers: { "retry-after": "soon" } },
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

  test("beyond our patience is waited out where the settings say wait", async () => {
    const server = await play(
      { status: 429, headers: { "retry-after": "7200" } },
      { body: rows(1) },
    );
    const { source, clock, events } = bench(server.url, { onQuotaExhausted: "wait" });

    expect(await readOnce(source())).toEqual(rows(1));
    expect(clock.slept).toEqual([7_200_000]);
    expect(events[1]).toMatchObject({ type: "waiting", waitMs: 7_200_000 });
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
    expect(client.quota).toEqual({ used: 5, remaining: 0 });
  });
});

describe("a broken connection", () => {
  test("before the answer is tried again", async () => {
    const server = await serve((_, response, n) => {
      if (n < 3) response.socket?.resetAndDestroy();
      else send(response, { body: rows(3) });
    });

    expect(await readOnce(bench(server.url).source())).toEqual(rows(3));
  });

  test("within the body is tried again, and gives each row once", async () => {
    const text = JSON.stringify(rows(99));
    const server = await serve((_, response, n) => {
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": text.length,
      });
      if (n === 1) response.write(text.slice(0, 500), () => response.socket?.resetAndDestroy());
      else response.end(text);
    });

    expect(await readOnce(bench(server.url).source())).toEqual(rows(99));
  });

  test("for good names the host", async () => {
    const server = await serve((_, response) => response.socket?.resetAndDestroy());

    const error = await errorOf(readOnce(bench(server.url).source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toMatch(/lost the connection to 127\.0\.0\.1:\d+ \(\w+\) 8 times/);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("to a port where nobody listens names the host", async () => {
    const server = createServer();
    await listening(server);
    const url = addressOf(server);
    await new Promise((resolve) => server.close(resolve));

    const error = await errorOf(readOnce(bench(url).source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toMatch(/could not connect to 127\.0\.0\.1:\d+ \(ECONNREFUSED\) 8 times/);
  });

  test("to a name that does not exist is tried again, and names the host", async () => {
    const cause = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
    let asked = 0;
    const { source } = bench("https://us.api.knowbe4.com", {
      fetch: () => {
        asked++;
        return Promise.reject(new TypeError("fetch failed", { cause }));
      },
    });

    const error = await errorOf(readOnce(source()));

    expect(asked).toBe(8);
    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain("found no address of us.api.knowbe4.com (ENOTFOUND)");
  });

  test.each([
    "CERT_HAS_EXPIRED",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  ])("for want of trust (%s) is not tried again, and says how to trust a proxy", async (code) => {
    let asked = 0;
    const { source } = bench("https://us.api.knowbe4.com", {
      fetch: () => {
        asked++;
        return Promise.reject(
          new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) }),
        );
      },
    });

    const error = await errorOf(readOnce(source()));

    expect(asked).toBe(1);
    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain(`could not trust us.api.knowbe4.com (${code})`);
    expect(error.hint).toContain("NODE_EXTRA_CA_CERTS");
  });

  test("whose far end speaks another protocol than TLS is not tried again", async () => {
    const server = await play({ body: [] });
    const { source } = bench(server.url.replace("http:", "https:"));

    const error = await errorOf(readOnce(source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain("could not trust 127.0.0.1");
  });
});

describe("silence", () => {
  test("before the answer, and within it, is given up after the time-out and tried again", async () => {
    const clock = fakeClock();
    const server = await serve((_, response, n) => {
      if (n === 1) setImmediate(clock.fireTimers);
      else if (n === 2) {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('[{"id":', () => setTimeout(clock.fireTimers, 20));
      } else send(response, { body: rows(1) });
    });
    const { source } = bench(server.url, { clock });

    expect(await readOnce(source())).toEqual(rows(1));
    expect(server.requests).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });

  test("for good is told in seconds", async () => {
    const clock = fakeClock();
    const server = await serve(() => setImmediate(clock.fireTimers));
    const { source } = bench(server.url, { clock, requestTimeoutMs: 45_000 });

    const error = await errorOf(readOnce(source()));

    expect(error.kind).toBe("unavailable");
    expect(error.message).toMatch(/heard nothing from 127\.0\.0\.1:\d+ for 45 s 8 times/);
  });

  test("is not when bytes keep coming, however slowly", async () => {
    const clock = fakeClock();
    const bytes = [..."[]".padStart(20)];
    const server = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const next = (): void => {
        const byte = bytes.shift();
        if (byte === undefined) response.end();
        else response.write(byte, () => setTimeout(next, 5));
        clock.advance(40_000);
      };
      next();
    });

    expect(await readOnce(bench(server.url, { clock }).source())).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });
});

describe("a stopped run", () => {
  /** A clock on which nobody ever wakes up, but for the signal. */
  function sleepless(): Clock {
    return {
      ...fakeClock(),
      sleep: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    };
  }

  test("ends at once while it sleeps before a retry", async () => {
    const stop = new AbortController();
    const server = await play({ status: 500 });
    const { source } = bench(server.url, {
      clock: sleepless(),
      emit: (event) => {
        if (event.type === "request") setTimeout(() => stop.abort(), 5);
      },
    });

    expect((await errorOf(readOnce(source(), {}, stop.signal))).kind).toBe("cancelled");
    expect(server.requests).toHaveLength(1);
  });

  test("ends at once while it waits for an answer, and closes the connection", async () => {
    const stop = new AbortController();
    let closed: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => (closed = resolve));
    const server = createServer((socket: Socket) => {
      socket.on("error", () => undefined);
      socket.on("close", () => closed?.());
      socket.once("data", () => stop.abort());
      socket.resume();
    });
    await listening(server);
    onTestFinished(() => void server.close());

    const { source, clock } = bench(addressOf(server));
    const error = await errorOf(readOnce(source(), {}, stop.signal));

    expect(error.kind).toBe("cancelled");
    expect(clock.pendingTimers).toBe(0);
    await gone;
  });

  test("ends with the signal's own error if it has one, before anything is sent", async () => {
    const server = await play({ body: rows(1) });
    const stop = new AbortController();
    const reason = await errorOf(
      readOnce(bench(server.url).source(), {}, AbortSignal.abort(new Error("any"))),
    );
    stop.abort(reason);

    expect(await errorOf(readOnce(bench(server.url).source(), {}, stop.signal))).toBe(reason);
    expect(server.requests).toHaveLength(0);
  });

  test("leaves nothing behind when the reader goes away in the middle", async () => {
    const server = await serve((seen, response) =>
      send(response, { body: rows(1, Number(seen.query["page"])) }),
    );
    const { source, clock, events } = bench(server.url, { pagination: "page" });

    for await (const page of source().pages(
      {
        stream: "users",
        endpoint: "/v1/users",
        path: "/v1/users",
        query: {},
        kind: "pages",
        itemKey: String,
      },
      noAbort(),
    )) {
      expect(page.items).toHaveLength(1);
      break;
    }

    expect(clock.pendingTimers).toBe(0);
    expect(events.filter((e) => e.type === "request")).toHaveLength(1);
  });
});
