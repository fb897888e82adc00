import { gunzipSync } from "node:zlib";

import { expect, test } from "vitest";

import type { Fault, FaultRule } from "../../src/simulator/index.js";
import { ask, get, known, simulated } from "./support.js";

/** A small account whose next answer has this fault. */
const withFault = (fault: Fault, match: FaultRule["match"] = {}, times = 1) =>
  simulated({ faults: [{ match, times, fault }] });

const usersText = (simulator: Awaited<ReturnType<typeof simulated>>) =>
  JSON.stringify(known(simulator.account, "users"));

test("a status takes the place of an answer, once", async () => {
  const simulator = await withFault({
    kind: "status",
    status: 503,
    headers: { "retry-after": "7" },
    body: "later",
  });

  const first = await get(simulator, "/v1/users");
  const second = await get(simulator, "/v1/users");

  expect([first.status, first.headers.get("retry-after"), first.text]).toEqual([503, "7", "later"]);
  expect([second.status, second.text]).toEqual([200, usersText(simulator)]);
  expect(simulator.requests.map(({ status }) => status)).toEqual([503, 200]);
});

test("a status without a body has a message", async () => {
  const simulator = await withFault({ kind: "status", status: 403 });

  expect(JSON.parse((await get(simulator, "/v1/users")).text)).toEqual({ message: "Forbidden" });
});

test("a web page takes the place of JSON", async () => {
  const simulator = await withFault({ kind: "html" });

  const { status, headers, text } = await get(simulator, "/v1/users");

  expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(text).toMatch(/^<!doctype html>/);
});

test.each(["{}", "null", "42", '{"message":"Invalid Token"}'])(
  "%s takes the place of rows",
  async (json) => {
    const simulator = await withFault({ kind: "json", body: json });

    const { status, text } = await get(simulator, "/v1/users?cursor=true&per_page=5");

    expect([status, text]).toEqual([200, json]);
  },
);

test("a redirect goes wherever it is to", async () => {
  const simulator = await withFault({ kind: "redirect", to: "https://example.com/login" });

  const { status, headers } = await get(simulator, "/v1/users");

  expect([status, headers.get("location")]).toEqual([302, "https://example.com/login"]);
});

test("a connection is reset before anything came", async () => {
  const simulator = await withFault({ kind: "reset", when: "beforeHeaders" });

  await expect(ask(simulator, "/v1/users")).rejects.toThrow("fetch failed");
  expect((await get(simulator, "/v1/users")).status).toBe(200);
});

test("a connection is reset halfway through the body", async () => {
  const simulator = await withFault({ kind: "reset", when: "midBody" });

  const response = await ask(simulator, "/v1/users");

  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow("terminated");
});

test("half a body comes as if it were whole", async () => {
  const simulator = await withFault({ kind: "truncate", length: "matching" });

  const { headers, text } = await get(simulator, "/v1/users");

  const whole = usersText(simulator);
  expect(whole.startsWith(text.slice(0, -1))).toBe(true);
  expect(Number(headers.get("content-length"))).toBe(Math.floor(Buffer.byteLength(whole) / 2));
});

test("half a body comes where the whole was promised", async () => {
  const simulator = await withFault({ kind: "truncate", length: "whole" });

  const response = await ask(simulator, "/v1/users");

  const promised = Number(response.headers.get("content-length"));
  expect(promised).toBe(Buffer.byteLength(usersText(simulator)));
  await expect(response.text()).rejects.toThrow("terminated");
});

test("plain text is said to be gzip", async () => {
  const simulator = await withFault({ kind: "gzip", lie: "claimed" });

  const response = await ask(simulator, "/v1/users");

  expect(response.headers.get("content-encoding")).toBe("gzip");
  await expect(response.text()).rejects.toThrow();
});

test("gzip is not said to be", async () => {
  const simulator = await withFault({ kind: "gzip", lie: "hidden" });

  const response = await ask(simulator, "/v1/users");

  expect(response.headers.has("content-encoding")).toBe(false);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(gunzipSync(bytes).toString("utf8")).toBe(usersText(simulator));
});

test("a body trickles in", async () => {
  const simulator = await simulated();
  simulator.addFault({ match: {}, fault: { kind: "json", body: '["slowly, slowly"]' } });
  simulator.addFault({ match: {}, fault: { kind: "slow", bytesPerSecond: 50 } });
  const start = performance.now();

  const { text } = await get(simulator, "/v1/users");

  expect(text).toBe('["slowly, slowly"]');
  expect(performance.now() - start).toBeGreaterThan(250);
});

test.each(["headers", "half"] as const)("nothing comes after the %s", async (after) => {
  const simulator = await withFault({ kind: "stall", after });
  const gone = new AbortController();

  const response = await fetch(`${simulator.url}/v1/users`, {
    headers: { authorization: `Bearer ${simulator.apiKey}` },
    signal: gone.signal,
  });
  const reader = response.body!.getReader();
  const length = Number(response.headers.get("content-length"));
  let bytes = 0;
  const half = after === "half" ? Math.floor(length / 2) : 0;
  while (bytes < half) bytes += ((await reader.read()).value as Uint8Array).length;
  const ends: string[] = [];
  const more = reader.read().then(
    () => ends.push("more"),
    () => ends.push("gone"),
  );
  await get(simulator, "/v1/account");

  expect(response.status).toBe(200);
  expect(ends).toEqual([]);
  gone.abort();
  await more;
  expect(ends).toEqual(["gone"]);
});

test("an answer is late", async () => {
  const simulator = await withFault({ kind: "delay", ms: 60 });
  const start = performance.now();

  const { text } = await get(simulator, "/v1/users");

  expect(text).toBe(usersText(simulator));
  expect(performance.now() - start).toBeGreaterThanOrEqual(59);
});

/** Which of these requests the fault is for. */
const PATHS = [
  "/v1/users?page=1&per_page=20",
  "/v1/users?page=2&per_page=20",
  "/v1/groups",
  "/v1/users?page=2&per_page=20",
  "/v1/nothing",
];

test.each<[match: FaultRule["match"], times: number, statuses: number[]]>([
  [{}, 1, [500, 200, 200, 200, 404]],
  [{}, Infinity, [500, 500, 500, 500, 500]],
  [{ path: "/v1/groups" }, 1, [200, 200, 500, 200, 404]],
  [{ path: /users|nothing/ }, Infinity, [500, 500, 200, 500, 500]],
  [{ stream: "users" }, 2, [500, 500, 200, 200, 404]],
  [{ stream: "groups" }, 1, [200, 200, 500, 200, 404]],
  [{ page: 2 }, 1, [200, 500, 200, 200, 404]],
  [{ stream: "users", page: 2, nth: 2 }, 1, [200, 200, 200, 500, 404]],
  [{ nth: 3 }, 2, [200, 200, 500, 500, 404]],
])("faults for %o, %d times, hit these requests", async (match, times, statuses) => {
  const simulator = await withFault({ kind: "status", status: 500 }, match, times);
  for (const path of PATHS) await get(simulator, path);

  expect(simulator.requests.map(({ status }) => status)).toEqual(statuses);
});

test("a page is counted for a cursor as well", async () => {
  const simulator = await withFault({ kind: "status", status: 500 }, { page: 3 });
  const cursor: number = known(simulator.account, "users")[39]!["id"];

  await get(simulator, "/v1/users?cursor=true&per_page=20");
  await get(simulator, `/v1/users?cursor=${cursor}&per_page=20`);

  expect(simulator.requests.map(({ status }) => status)).toEqual([200, 500]);
});

test("faults can be added and taken back", async () => {
  const simulator = await simulated();
  simulator.addFault({ match: {}, times: Infinity, fault: { kind: "status", status: 500 } });
  await get(simulator, "/v1/users");

  simulator.clearFaults();
  await get(simulator, "/v1/users");

  expect(simulator.requests.map(({ status }) => status)).toEqual([500, 200]);
});

test("whoever has no key sees no faults", async () => {
  const simulator = await withFault({ kind: "status", status: 500 });

  expect((await fetch(`${simulator.url}/v1/users`)).status).toBe(401);
  expect((await get(simulator, "/v1/users")).status).toBe(500);
});
