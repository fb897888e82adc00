import { networkInterfaces } from "node:os";

import { expect, test } from "vitest";

import { startSimulator } from "../../src/simulator/index.js";
import { ask, get, simulated } from "./support.js";

test.each([
  ["no key", undefined],
  ["another key", "Bearer something"],
  ["a key without Bearer", "simulated-api-key"],
])("%s is refused", async (_, authorization) => {
  const { url, requests } = await simulated();

  const response = await fetch(`${url}/v1/account`, {
    headers: authorization === undefined ? {} : { authorization },
  });

  expect(response.status).toBe(401);
  expect(await response.json()).toEqual({ message: "Invalid Token" });
  expect(requests).toMatchObject([{ stream: "account", status: 401 }]);
});

test("the key is the one that was given", async () => {
  const simulator = await simulated({ apiKey: "mine" });

  expect((await simulated()).apiKey).toBe("simulated-api-key");
  expect(simulator.apiKey).toBe("mine");
  expect((await get(simulator, "/v1/account")).status).toBe(200);
});

test("every answer is JSON, uncached, and has an id of its own", async () => {
  const simulator = await simulated();
  const ids = new Set<string | null>();
  for (const path of ["/v1/account", "/v1/users", "/v1/users/1"]) {
    const { headers } = await get(simulator, path);
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(headers.get("cache-control")).toBe("no-cache, no-store");
    ids.add(headers.get("x-request-id"));
  }
  expect(ids.size).toBe(3);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});

test.each([
  ["perSecond", 1_000],
  ["perMinute", 60_000],
  ["perDay", 86_400_000],
] as const)("%s is a quota in a sliding window", async (name, windowMs) => {
  let now = 5_000_000;
  const simulator = await simulated({ quota: { [name]: 2 }, now: () => now });
  const status = async () => (await get(simulator, "/v1/account")).status;

  expect(await status()).toBe(200);
  now += windowMs / 2;
  expect(await status()).toBe(200);
  expect(await status()).toBe(429);
  now += windowMs / 2 - 1;
  expect(await status()).toBe(429);
  now += 1;
  expect(await status()).toBe(200);
  expect(await status()).toBe(429);
});

test("an answer beyond the quota is a message, and says when to come back if it is to", async () => {
  const quota = { perSecond: 9, perMinute: 1, headers: true, retryAfter: true };
  const simulator = await simulated({ quota, now: () => 0 });

  const first = await get(simulator, "/v1/account");
  const second = await get(simulator, "/v1/account");

  expect(first.headers.get("x-ratelimit-limit")).toBe("1");
  expect(first.headers.get("x-ratelimit-remaining")).toBe("0");
  expect(first.headers.has("retry-after")).toBe(false);
  expect(second.status).toBe(429);
  expect(JSON.parse(second.text)).toEqual({ message: "Too Many Requests" });
  expect(second.headers.get("retry-after")).toBe("60");
});

test("a quota is silent unless it is to speak", async () => {
  const simulator = await simulated({ quota: { perMinute: 1 }, now: () => 0 });
  await get(simulator, "/v1/account");

  const { status, headers } = await get(simulator, "/v1/account");

  expect(status).toBe(429);
  expect([...headers.keys()].filter((name) => /rate|retry/.test(name))).toEqual([]);
});

test("who has no key does not use up the quota", async () => {
  const simulator = await simulated({ quota: { perDay: 1 }, now: () => 0 });
  await fetch(`${simulator.url}/v1/account`);

  expect((await get(simulator, "/v1/account")).status).toBe(200);
});

test("answers come after the latency", async () => {
  const simulator = await simulated({ latencyMs: 40 });
  const start = performance.now();

  await get(simulator, "/v1/account");

  // A timer may be a millisecond early.
  expect(performance.now() - start).toBeGreaterThanOrEqual(39);
});

test("only this machine can connect", async () => {
  const { url } = await simulated();
  const { hostname, port } = new URL(url);
  const others = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const hosts = others.filter(({ internal }) => !internal).map(({ address }) => address);

  expect(hostname).toBe("127.0.0.1");
  for (const host of ["127.0.0.2", "::1", ...hosts]) {
    const address = host.includes(":") ? `[${host.split("%")[0]!}]` : host;
    const signal = AbortSignal.timeout(1_000);
    await expect(fetch(`http://${address}:${port}/v1/account`, { signal })).rejects.toThrow();
  }
});

test("a port that is taken is Node's own error", async () => {
  const { url } = await simulated();
  const port = Number(new URL(url).port);

  await expect(startSimulator({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("its end is at once, also for whoever waits", async () => {
  const simulator = await startSimulator({ users: 5, latencyMs: 60_000 });
  const waiting = ask(simulator, "/v1/account");
  const failed = expect(waiting).rejects.toThrow();
  while (simulator.requestCount === 0) await fetch(`${simulator.url}/_simulator/status`);

  await simulator[Symbol.asyncDispose]();

  await failed;
  await expect(ask(simulator, "/v1/account")).rejects.toThrow();
});

test("requests are counted exactly, and the last ten thousand remembered", async () => {
  const simulator = await simulated();
  for (let i = 0; i < 10_050; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => get(simulator, `/v1/none?n=${i + n}`)));
  }

  expect(simulator.requestCount).toBe(10_050);
  expect(simulator.requests).toHaveLength(10_000);
  expect(simulator.requests.map(({ path }) => path)).not.toContain("/v1/none?n=49");
}, 60_000);

test.each([
  { users: 0 },
  { users: 50_001 },
  { users: 1.5 },
  { seed: -1 },
  { tests: 1_001 },
  { today: "2026-02-30" },
  { pageCap: 0 },
])("%o is refused", async (options) => {
  await expect(startSimulator(options)).rejects.toThrow(RangeError);
});
