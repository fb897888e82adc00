import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { parseState } from "../../src/core/state.js";
import { account, ALL, DEFAULTS, defOf, lines, truth, type Account } from "./support/account.js";
import { run, startShell, type Ended } from "./support/program.js";
import { ask, expectHeld, expectTables, tables } from "./support/tables.js";

/** From an account into a DuckDB file, and again after days have passed. */

const DB = "knowbe4.duckdb";

function sync(a: Account, args: readonly string[] = [], settings: object = {}): Promise<Ended> {
  return run("knowbe4", ["sync", "--config", a.config(settings), ...args], { cwd: a.cwd });
}

/** Rows of every stream at this moment. */
function snapshot(a: Account) {
  return new Map(DEFAULTS.map((stream) => [stream, lines(truth(a, stream))]));
}

test("every table is the account's truth, on the first day and on later ones", async () => {
  const a = await account({ users: 60, tests: 8 });
  const path = join(a.cwd, DB);
  expect((await sync(a)).code).toBe(0);
  await expectTables(a, path);
  const before = snapshot(a);

  a.simulator.advance(7);
  expect((await sync(a)).code).toBe(0);

  await expectHeld(a, path);
  const held = await tables(path);
  for (const stream of DEFAULTS) {
    const wanted = new Set(lines(truth(a, stream)));
    // What has gone at the source stays, as it was when it was last seen, and nothing else does.
    const gone = held[stream]!.filter((line) => !wanted.has(line));
    expect(before.get(stream), stream).toEqual(expect.arrayContaining(gone));
  }
  expect(held["enrollments"]).not.toEqual(before.get("enrollments"));
  expect(held["security_test_recipients"]).not.toEqual(before.get("security_test_recipients"));
});

test(
  "rows that the account no longer has are marked by the next run, day by day",
  { timeout: 60_000 },
  async () => {
    const a = await account({ users: 60, tests: 8 });
    const path = join(a.cwd, DB);
    let marked = 0;

    for (let day = 0; day < 4; day += 1) {
      expect((await sync(a)).code).toBe(0);
      for (const stream of DEFAULTS) {
        const keys = defOf(stream).primaryKey;
        const live = await ask(
          path,
          `SELECT ${keys.join(", ")} FROM db.knowbe4.${stream} WHERE _kb4_deleted_at IS NULL`,
        );
        const text = (row: Readonly<Record<string, unknown>>) =>
          keys.map((k) => String(row[k])).join();
        expect(live.map(text).sort(), `${stream}, day ${String(day)}`).toEqual(
          truth(a, stream).map(text).sort(),
        );
        const [gone] = await ask(
          path,
          `SELECT count(*)::INT AS n FROM db.knowbe4.${stream} WHERE _kb4_deleted_at IS NOT NULL`,
        );
        marked += Number(gone!["n"]);
      }
      a.simulator.advance(1);
      a.simulator.account.change("deleteEnrollment");
      a.simulator.account.change("moveUser");
    }

    expect(marked).toBeGreaterThan(0);
  },
);

test("in replace mode nothing stays that the account no longer has", async () => {
  const a = await account({ users: 60 });
  const settings = { destination: { mode: "replace" } };
  expect((await sync(a, [], settings)).code).toBe(0);
  await expectTables(a, join(a.cwd, DB));
  a.simulator.advance(7);

  expect((await sync(a, [], settings)).code).toBe(0);

  await expectTables(a, join(a.cwd, DB));
});

test("a second run on the same day asks for less and leaves the tables alone", async () => {
  const a = await account({ tests: 12 });
  await sync(a);
  const before = { requests: a.simulator.requestCount, tables: await tables(join(a.cwd, DB)) };

  const ended = await sync(a);

  expect(ended.code).toBe(0);
  expect(a.simulator.requestCount - before.requests).toBeLessThan(before.requests - 10);
  expect(await tables(join(a.cwd, DB))).toEqual(before.tables);
});

test("--full-refresh reads everything again", async () => {
  const a = await account({ tests: 12 });
  await sync(a);
  const before = a.simulator.requestCount;

  const ended = await sync(a, ["--full-refresh"]);

  expect(ended.code).toBe(0);
  expect(a.simulator.requestCount).toBe(2 * before);
  await expectTables(a, join(a.cwd, DB));
});

test("--streams reads only these, and what they need without writing it", async () => {
  const a = await account({ users: 8 });
  const chosen = ["security_test_recipients", "user_risk_score_history"] as const;

  const ended = await sync(a, ["--streams", chosen.join(", ")]);

  expect(ended.code).toBe(0);
  await expectTables(a, join(a.cwd, DB), chosen);
  const found = await ask(join(a.cwd, DB), "SHOW ALL TABLES");
  const own = found.map((row) => row["name"]).filter((name) => !String(name).startsWith("_kb4_"));
  expect(own).toEqual([...chosen]);
});

test("--dry-run says what would be read and makes nothing", async () => {
  const a = await account();

  const ended = await sync(a, ["--dry-run"]);

  expect(ended).toMatchObject({ code: 0, stderr: "" });
  for (const stream of DEFAULTS)
    expect(ended.stdout).toMatch(new RegExp(`^${stream} +GET /v1/`, "m"));
  expect(ended.stdout).toContain(`destination  duckdb ${DB}, schema knowbe4, mode merge\n`);
  expect(ended.stdout).toMatch(/12 streams; nothing was read or written\n$/);
  expect(a.simulator.requestCount).toBe(0);
  expect(readdirSync(a.cwd)).toEqual(["config1.json"]);
});

test("state show prints a state with which the tap goes on", async () => {
  const a = await account({ tests: 8 });
  await sync(a);
  const shown = await run("knowbe4", ["state", "show", "--config", a.config()], { cwd: a.cwd });
  const before = a.simulator.requestCount;

  expect(shown).toMatchObject({ code: 0, stderr: "" });
  const state = parseState(JSON.parse(shown.stdout), "shown");
  expect(Object.keys(state.bookmarks)).toEqual(expect.arrayContaining([...DEFAULTS]));
  const { code } = await startShell(
    `$NODE $KNOWBE4 state show > state.json && $NODE $TAP --config ${a.config()} --state state.json`,
    { cwd: a.cwd },
  ).ended;
  expect(code).toBe(0);
  expect(a.simulator.requestCount - before).toBeLessThan(before - 6);
});

test("the configuration may come from standard input, the environment or both", async () => {
  const a = await account();
  const destination = { TAP_KNOWBE4_DESTINATION_PATH: "other.duckdb" };
  const config = { api_key: a.simulator.apiKey, api_url: a.simulator.url };

  const { code } = await run("knowbe4", ["sync", "-c", "-", "--streams", "policies"], {
    cwd: a.cwd,
    env: destination,
    stdin: JSON.stringify(config),
  });

  expect(code).toBe(0);
  await expectTables(a, join(a.cwd, "other.duckdb"), ["policies"]);
  expect(existsSync(join(a.cwd, DB))).toBe(false);
});

test("all fourteen streams reach their tables", async () => {
  const a = await account({ users: 8, tests: 4 });

  expect((await sync(a, ["--streams", ALL.join(",")])).code).toBe(0);

  await expectTables(a, join(a.cwd, DB), ALL);
});
