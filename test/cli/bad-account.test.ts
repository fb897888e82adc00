import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { realClock } from "../../src/cli/clock.js";
import { knowbe4 } from "../../src/cli/main.js";
import type { Fault } from "../../src/simulator/index.js";
import { account, DEFAULTS, KEY, lines, truth, type Account } from "./support/account.js";
import { fakeIo, within } from "./support/io.js";
import { expectDiscreet, expectFailure } from "./support/faulty.js";
import { lastState, messagesIn, recordsOf } from "./support/messages.js";
import { run, type Ended } from "./support/program.js";
import { ask, expectTables } from "./support/tables.js";

/** An API that refuses, fails, is away, or answers with something else. */

function sync(a: Account, settings: object = {}, args: readonly string[] = []): Promise<Ended> {
  return run("knowbe4", ["sync", "--config", a.config(settings), ...args], { cwd: a.cwd });
}

const DAY = 24 * 3_600_000;

const ONCE = { retry: { max_attempts: 1 } };

test("a wrong key: one line that says where keys are made, and nothing more is asked", async () => {
  const a = await account({ apiKey: "the-right-one" });

  const ended = await sync(a);

  expectFailure(ended, 3, /account: GET \/v1\/account .*answered 401 \(check api_key and region: /);
  expect(a.simulator.requestCount).toBe(1);
});

test("a wrong key does not pass check or the tap either", async () => {
  const a = await account({ apiKey: "the-right-one" });

  const check = await run("knowbe4", ["check", "--config", a.config()]);
  const tap = await run("tap-knowbe4", ["--config", a.config()]);

  expectFailure(check, 3, "answered 401 (check api_key and region: ");
  expectFailure(tap, 3, "answered 401 (check api_key and region: ");
  expect(recordsOf(messagesIn(tap.stdout), "users")).toEqual([]);
});

test("a server that is down: a line for each stream that could not be read", async () => {
  const a = await account();
  await a.simulator[Symbol.asyncDispose]();

  const ended = await sync(a, ONCE, ["--streams", "policies,account"]);

  const failures = ended.errors.filter((line) => line.startsWith("knowbe4: "));
  expect(ended.code).toBe(4);
  expect(failures).toEqual([
    expect.stringMatching(/^knowbe4: account: GET \/v1\/account .*\(/),
    expect.stringMatching(/^knowbe4: policies: GET \/v1\/account .*\(/),
  ]);
  expectDiscreet(ended);
});

test("a spent quota: one line that says when to come back, and the next run goes on", async () => {
  const began = Date.now();
  let now = began;
  const quota = { perDay: 15, retryAfter: true };
  const a = await account({ tests: 8, quota, now: () => now });

  // One at a time: what is on its way while another is refused may be read twice.
  const destination = { path: join(a.cwd, "knowbe4.duckdb") };
  const settings = { concurrency: 1, destination };
  const first = await sync(a, settings);
  const read = a.simulator.requests.filter((r) => r.status === 200);
  now = Date.now() + DAY;
  const io = { ...fakeIo(), clock: { ...realClock, now: () => now } };
  const code = await within(knowbe4, ["sync", "--config", a.config(settings)], io);

  const [from, to] = [began + DAY, now].map((at) => new Date(at).toISOString().slice(0, 10));
  expectFailure(first, 5, new RegExp(`asks to wait until (${from!}|${to!})T`));
  expect(first.stderr).toMatch(/; complete: account, [\w, ]+; remaining: [\w, ]+ \(run again/);
  expect(first.stderr).toMatch(/ [\d,]+ rows committed to .*knowbe4.duckdb\n/);
  expect(code).toBe(0);
  await expectTables(a, join(a.cwd, "knowbe4.duckdb"));
  // Recipients that were read before the quota was spent are not read again.
  const paths = a.simulator.requests.filter((r) => r.status === 200).map((r) => r.path);
  const recipients = paths.filter((path) => path.includes("/recipients"));
  expect(read).toHaveLength(15);
  expect(new Set(recipients).size).toBe(recipients.length);
});

// One in the middle of a run: what comes after it must be read too.
const faults: readonly [string, Fault, number, string][] = [
  ["403", { kind: "status", status: 403 }, 3, "answered 403 (the Reporting API comes with"],
  ["404", { kind: "status", status: 404 }, 6, "answered 404"],
  ["500", { kind: "status", status: 500 }, 4, "answered 500"],
  ["a web page", { kind: "html" }, 4, "answered 200 with a web page in place of JSON"],
  ["null", { kind: "json", body: "null" }, 6, "null"],
  ["an error at status 200", { kind: "json", body: `{"message":"${KEY}"}` }, 6, ""],
  ["half a body", { kind: "truncate", length: "matching" }, 6, "JSON that is cut off"],
  [
    "a redirect",
    { kind: "redirect", to: "https://example.com/" },
    4,
    "redirect refused, to example",
  ],
  ["rows without their key", { kind: "omit", field: "campaign_id", rows: "all" }, 6, "campaigns"],
];

test.each(faults)(
  "a stream that is answered with %s: one line, its state stays, the others are complete",
  async (_, fault, code, line) => {
    const a = await account();
    const before = { completedAt: "2025-01-01T00:00:00.000Z" };
    const bookmarks = Object.fromEntries(DEFAULTS.map((stream) => [stream, before]));
    const state = join(a.cwd, "state.json");
    writeFileSync(state, JSON.stringify({ version: 1, bookmarks }));
    a.simulator.addFault({ match: { stream: "campaigns" }, times: Infinity, fault });

    const ended = await run("tap-knowbe4", ["--config", a.config(ONCE), "--state", state]);

    expectFailure(ended, code, line);
    const messages = messagesIn(ended.stdout);
    expect(recordsOf(messages, "campaigns")).toEqual([]);
    for (const stream of DEFAULTS) {
      const after = lastState(messages).bookmarks[stream];
      if (stream === "campaigns") expect(after).toEqual(before);
      else expect(after?.["completedAt"], stream).not.toBe(before.completedAt);
      const wanted = stream === "campaigns" ? [] : truth(a, stream);
      expect(lines(recordsOf(messages, stream)), stream).toEqual(lines(wanted));
    }
  },
);

test("sync keeps what other streams brought, and the failed one's table and state", async () => {
  const a = await account();
  const path = join(a.cwd, "knowbe4.duckdb");
  const bookmarks = () => ask(path, "SELECT stream, state FROM db.knowbe4._kb4_state ORDER BY 1");
  const chosen = ["--streams", "campaigns,groups,account"];
  await sync(a, {}, chosen);
  const before = await bookmarks();
  const fault = { kind: "html" } as const;
  a.simulator.addFault({ match: { stream: "campaigns" }, times: Infinity, fault });
  a.simulator.account.renameGroup();

  const ended = await sync(a, ONCE, chosen);

  expectFailure(ended, 4, "answered 200 with a web page in place of JSON");
  const moved = (await bookmarks()).filter(({ state }, i) => state !== before[i]?.["state"]);
  expect(moved.map(({ stream }) => stream)).toEqual(["_source", "account", "groups"]);
  await expectTables(a, path, ["campaigns", "groups", "account"]);
});

test("a parent that fails takes its children with it, and nothing else", async () => {
  const a = await account();
  const fault = { kind: "status", status: 403 } as const;
  a.simulator.addFault({ match: { stream: "security_tests" }, times: Infinity, fault });

  const ended = await run("tap-knowbe4", ["--config", a.config()]);

  expectFailure(ended, 3, "security_tests: GET /v1/phishing/security_tests answered 403");
  const { bookmarks } = lastState(messagesIn(ended.stdout));
  expect(Object.keys(bookmarks).toSorted()).toEqual(
    [...DEFAULTS.filter((s) => !s.startsWith("security_test")), "_source"].toSorted(),
  );
});

test("rows that do not fit are set aside as far as max_rejects lets them", async () => {
  const a = await account();
  const value = { json: { nested: true } };
  a.simulator.addFault({
    match: { stream: "policies" },
    times: Infinity,
    fault: { kind: "field", field: "name", value },
  });

  const refused = await sync(a, {}, ["--streams", "policies"]);
  const let1 = await sync(a, { max_rejects: 1 }, ["--streams", "policies"]);

  expectFailure(refused, 6, "policies");
  expect(let1.code).toBe(0);
  expect(let1.stderr).toMatch(/policies: 3 rows .*1 row rejected/);
  const path = join(a.cwd, "knowbe4.duckdb");
  const [found] = await ask(path, "SELECT count(*)::INTEGER AS n FROM db.knowbe4.policies");
  expect(found).toEqual({ n: 3 });
  for (const { stderr } of [refused, let1]) expect(stderr).not.toContain("nested");
});

test("a field that nobody declared is kept, and told once", async () => {
  const a = await account();
  a.simulator.addFault({
    match: { stream: "policies" },
    times: Infinity,
    fault: { kind: "field", field: "colour", value: { json: "green" }, rows: "all" },
  });

  const ended = await sync(a, {}, ["--streams", "policies"]);

  expect(ended.code).toBe(0);
  expect(ended.errors.filter((line) => line.includes("colour"))).toEqual([
    expect.stringMatching(/warning: policies: .*colour/),
  ]);
  const path = join(a.cwd, "knowbe4.duckdb");
  expect(
    await ask(path, "SELECT DISTINCT _extra->>'colour' AS c FROM db.knowbe4.policies"),
  ).toEqual([{ c: "green" }]);
});
