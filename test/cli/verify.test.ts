import { join } from "node:path";

import { expect, test } from "vitest";

import { knowbe4 } from "../../src/cli/main.js";
import type { Compared } from "../../src/cli/verify.js";
import type { SimulatorOptions } from "../../src/simulator/index.js";
import { account, DEFAULTS } from "./support/account.js";
import { fakeIo, within } from "./support/io.js";
import { ask, withDatabase } from "./support/tables.js";

/** What the destination holds against what the API says there is. */

/** A destination that was filled once, and what can be done to it. */
async function warehouse(options: SimulatorOptions = {}, settings: object = {}) {
  const a = await account(options);
  const path = join(a.cwd, "verify.duckdb");
  const config = a.config({ destination: { path }, ...settings });
  expect(await within(knowbe4, ["sync", "--config", config], fakeIo())).toBe(0);
  const change = (sql: string) =>
    withDatabase(path, (connection) => connection.run(sql), "READ_WRITE");
  const verified = async (...flags: readonly string[]) => {
    const io = fakeIo();
    const before = a.simulator.requestCount;
    const argv = ["verify", "--config", config, "--format", "json", ...flags];
    const code = await within(knowbe4, argv, io);
    const { streams, requests } = JSON.parse(io.out()) as {
      readonly streams: readonly Compared[];
      readonly requests: number;
    };
    expect(requests).toBe(a.simulator.requestCount - before);
    const of = (stream: string) => streams.find((s) => s.stream === stream);
    return { code, streams, requests, of, err: io.err(), out: io.out() };
  };
  return { ...a, path, config, change, verified };
}

/** By these the account is paged. */
const WAYS = ["both", "page", "cursor"] as const;

test.each(WAYS)("after a sync everything is equal, paged by %s", async (paging) => {
  const w = await warehouse({ paging });

  const { code, streams, requests, err } = await w.verified();

  expect(err).toBe("");
  expect(code).toBe(0);
  expect(streams.map(({ stream }) => stream)).toEqual(DEFAULTS);
  expect(streams.map(({ verdict }) => verdict)).toEqual(DEFAULTS.map(() => "equal"));
  const users = [...w.simulator.account.rows("users")].length;
  expect(streams.find(({ stream }) => stream === "users")).toMatchObject({
    declared: users,
    in_warehouse: users,
  });
  expect(requests).toBeLessThan(w.simulator.requestCount / 2);
});

/** Streams whose rows would be too many to be listed again, and how one of their rows is named. */
const REMOVED = [
  ["users", "id"],
  ["groups", "id"],
  ["group_members", "(group_id, user_id)"],
  ["security_tests", "pst_id"],
  ["security_test_recipients", "(pst_id, recipient_id)"],
  ["enrollments", "enrollment_id"],
  ["training_campaigns", "campaign_id"],
  ["risk_score_history", "date"],
  ["account", "name"],
] as const;

test.each(WAYS)(
  "a row that was removed by hand is noticed and its stream named, paged by %s",
  async (paging) => {
    const w = await warehouse({ paging });
    const removing = REMOVED.map(([table, key]) => {
      const any = `SELECT max(${key}) FROM db.knowbe4.${table}`;
      return `DELETE FROM db.knowbe4.${table} WHERE ${key} = (${any});`;
    });
    await w.change(removing.join(" "));

    const { code, streams, err, of } = await w.verified();

    expect(code).toBe(6);
    const names = REMOVED.map(([table]) => table).sort();
    const differing = streams.filter(({ verdict }) => verdict === "differs");
    expect(differing.map(({ stream }) => stream).sort()).toEqual(names);
    for (const { declared, in_warehouse } of differing) {
      expect(declared).toBe((in_warehouse ?? 0) + 1);
    }
    expect(err).toContain(`verify: ${String(names.length)} streams differ from the API: `);
    expect(of("security_test_recipients")?.detail).toMatch(
      /^security_tests\.scheduled_count: \d+: \d+ declared, \d+ here$/,
    );
    expect(of("group_members")?.detail).toMatch(/^groups\.member_count: \d+: \d+ declared/);
  },
  60_000,
);

test("pages are small, and still the last row tells, within a handful of requests", async () => {
  const w = await warehouse({ users: 60, paging: "page" }, { page_size: 10 });
  const whole = w.simulator.requestCount;
  const equal = await w.verified("--streams", "users,enrollments");
  await w.change(
    "DELETE FROM db.knowbe4.users WHERE id IN (SELECT id FROM db.knowbe4.users LIMIT 3)",
  );

  const { code, of, requests } = await w.verified("--streams", "users,enrollments");

  expect(equal.code).toBe(0);
  // The account, and two rows of each.
  expect(equal.requests).toBe(5);
  expect(code).toBe(6);
  expect(of("users")).toMatchObject({ verdict: "differs" });
  expect(of("users")?.declared).toBe((of("users")?.in_warehouse ?? 0) + 3);
  expect(of("enrollments")?.verdict).toBe("equal");
  expect(requests).toBeLessThan(whole / 10);
});

test("rows that are marked as gone do not count", async () => {
  const w = await warehouse({ trainingCampaigns: 9 });
  const change = w.simulator.account.change("deleteEnrollment");
  await within(knowbe4, ["sync", "--config", w.config, "--full-refresh"], fakeIo());
  const marked = await ask(
    w.path,
    "SELECT count(*)::INT AS n FROM db.knowbe4.enrollments WHERE _kb4_deleted_at IS NOT NULL",
  );

  const { code, of } = await w.verified("--streams", "enrollments");

  expect(change).toBeDefined();
  expect(marked).toEqual([{ n: 1 }]);
  expect(code).toBe(0);
  expect(of("enrollments")?.declared).toBe([...w.simulator.account.rows("enrollments")].length);
});

test("a row too many is noticed as well", async () => {
  const w = await warehouse({ paging: "page" }, { page_size: 10 });
  await w.change(
    "INSERT INTO db.knowbe4.users BY NAME SELECT * REPLACE (-id AS id) FROM db.knowbe4.users LIMIT 1",
  );

  const { code, of } = await w.verified("--streams", "users");

  expect(code).toBe(6);
  expect(of("users")?.declared).toBe((of("users")?.in_warehouse ?? 0) - 1);
});

test("what cannot be compared is named, with the reason, and is no difference", async () => {
  const w = await warehouse({ paging: "cursor" }, { page_size: 4 });

  const { code, of } = await w.verified(
    "--streams",
    "users,enrollments,user_risk_score_history,policies",
  );

  expect(code).toBe(0);
  expect(of("user_risk_score_history")).toMatchObject({
    declared: null,
    verdict: "not compared",
    detail: "the destination has no such table: it was never loaded",
  });
  expect(of("enrollments")).toMatchObject({
    verdict: "not compared",
    detail: "no counter, not paged by number, and too long to be listed again",
  });
}, 60_000);

test("a folder of files is verified like a warehouse, and a missing one is told", async () => {
  const a = await account();
  const config = a.config({ destination: { type: "jsonl", path: join(a.cwd, "rows") } });
  const [early, io] = [fakeIo(), fakeIo()];

  const missing = await within(knowbe4, ["verify", "--config", config], early);
  await within(knowbe4, ["sync", "--config", config], fakeIo());
  const code = await within(knowbe4, ["verify", "--config", config], io);

  expect(missing).toBe(2);
  expect(early.err()).toContain("does not exist");
  expect(code).toBe(0);
  expect(io.out()).toMatch(/^stream +declared +in warehouse +verdict/);
  expect(io.out()).toMatch(/\nusers +\d+ +\d+ +equal /);
  expect(io.out()).not.toContain("differs");
});

test("a state of another account is refused before anything is compared", async () => {
  const w = await warehouse();
  const other = await account({ seed: 2 });
  const config = other.config({ destination: { path: w.path } });
  const io = fakeIo();

  const code = await within(knowbe4, ["verify", "--config", config], io);

  expect(code).toBe(8);
  expect(other.simulator.requestCount).toBe(1);
});
