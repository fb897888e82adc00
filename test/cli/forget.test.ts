import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { keyedHash } from "../../src/core/privacy/values.js";
import { rowsOf as lookAt } from "../support/snowflake/look.js";
import { account, ALL } from "./support/account.js";
import { bytesBelow, KEY } from "./support/found.js";
import { run } from "./support/program.js";
import {
  COMMENTS,
  forget,
  isOf,
  loaded,
  manager,
  printed,
  rowsOf,
  withoutManager,
} from "./support/someone.js";
import { snowflake } from "./support/snowflake.js";
import { ask, withDatabase } from "./support/tables.js";

/** One person is taken out of what was loaded, everywhere, and nobody else is. */

// Whole runs of programs.
vi.setConfig({ testTimeout: 180_000 });

const hash = keyedHash(KEY);

test("a person goes out of every table, the rejects, the state and the bytes of the file", async () => {
  const a = await account({ users: 20, tests: 3 });
  const who = manager(a);
  const path = join(a.cwd, "knowbe4.duckdb");
  const { config } = await loaded(a, who);
  const before = await rowsOf(a);
  const described = await ask(path, COMMENTS);
  const bytes = bytesBelow(a.cwd);

  const counted = await forget(a, config, "--email", who.email.toUpperCase(), "--dry-run");
  const asked = await forget(a, config, "--id", who.id);
  const unchanged = await rowsOf(a);
  const ended = await forget(a, config, "--email", who.email, "--yes");
  const again = await forget(a, config, "--id", who.id, "--yes");

  expect([counted.code, asked.code, ended.code, again.code], ended.stderr).toEqual([0, 2, 0, 0]);
  expect(asked.stderr).toMatch(/^knowbe4: forget: nothing was erased \(look at the counts/m);
  expect(unchanged).toEqual(before);
  expect(asked.stdout).toBe(counted.stdout);
  expect(ended.stdout).toBe(counted.stdout);
  const names = ["users", "enrollments", "group_members", "security_test_recipients"];
  for (const table of [...names, "user_risk_score_history", "_kb4_rejects"]) {
    const theirs = before[table]!.filter(isOf(who));
    expect(theirs.length, table).toBeGreaterThan(0);
    if (table === "users") continue;
    expect(printed(ended)[table], table).toMatch(new RegExp(`^${String(theirs.length)} rows?$`));
  }
  expect(printed(ended)["users"]).toMatch(/^1 row \+ \d+ rows?$/);
  expect(printed(ended)["_kb4_state"]).toBe("1 bookmark");
  expect(Object.values(printed(again)).filter((cell) => /[1-9]/.test(cell))).toEqual([]);

  const after = await rowsOf(a);
  for (const [table, rows] of Object.entries(before)) {
    if (table === "_kb4_loads" || table === "_kb4_state") continue;
    const managed = (line: string) =>
      line.includes(`"manager_email":"${who.email}"`) ? withoutManager(line) : line;
    const kept = rows.map(managed).filter((line) => !isOf(who)(line));
    expect(after[table], table).toEqual(kept.sort());
  }
  expect(await ask(path, COMMENTS)).toEqual(described);
  expect(bytes).toContain(who.email);
  expect(bytesBelow(a.cwd)).not.toContain(who.email);
  for (const { stdout, stderr } of [counted, asked, ended, again]) {
    expect(`${stdout}${stderr}`.toLowerCase()).not.toContain(who.email.toLowerCase());
    expect(stdout + stderr).not.toMatch(new RegExp(`\\b${who.id}\\b`));
  }
});

test("whom KnowBe4 still has comes back with the next sync, with their whole history", async () => {
  const a = await account({ users: 20, tests: 3 });
  const who = manager(a);
  const { config } = await loaded(a, who);
  const before = await rowsOf(a);
  await forget(a, config, "--id", who.id, "--yes");

  const args = ["sync", "--config", config, "--streams", "users,user_risk_score_history"];
  const ended = await run("knowbe4", args, { cwd: a.cwd });

  expect(ended.code, ended.stderr).toBe(0);
  const after = await rowsOf(a);
  for (const table of ["users", "user_risk_score_history"]) {
    const theirs = (rows: typeof before) => rows[table]!.filter(isOf(who)).length;
    expect(theirs(after), table).toBe(theirs(before) - (table === "users" ? ofOthers(before) : 0));
  }
  function ofOthers(rows: typeof before): number {
    return rows["users"]!.filter((line) => line.includes(`"manager_email":"${who.email}"`)).length;
  }
});

test("every version of a person goes, those of rows marked as gone too", async () => {
  const a = await account({ users: 20, tests: 3 });
  const who = manager(a);
  const { config } = await loaded(a, who, { destination: { mode: "append" } });
  a.simulator.advance(1);
  await run("knowbe4", ["sync", "--config", config, "--streams", "users"], { cwd: a.cwd });
  const path = join(a.cwd, "knowbe4.duckdb");
  const count = async () => {
    const [row] = await ask(
      path,
      `SELECT count(*) AS n FROM db.knowbe4.users WHERE id = ${who.id}`,
    );
    return Number(row?.["n"]);
  };
  await withDatabase(
    path,
    async (connection) => {
      const gone = "SET _kb4_deleted_at = now() WHERE _kb4_load_id = (SELECT min(_kb4_load_id)";
      await connection.run(`UPDATE db.knowbe4.users ${gone} FROM db.knowbe4.users)`);
    },
    "READ_WRITE",
  );
  const before = await count();

  const ended = await forget(a, config, "--id", who.id, "--yes");

  expect(before).toBeGreaterThan(1);
  expect(printed(ended)["users"]).toMatch(new RegExp(`^${String(before)} rows`));
  expect(await count()).toBe(0);
});

test.each(["email", "id"] as const)("hashed rows are found by %s, with the key", async (by) => {
  const a = await account({ users: 20, tests: 3 });
  const who = manager(a);
  const privacy = { preset: "pseudonymous", key: KEY };
  const { config } = await loaded(a, who, { privacy });
  const hashed = { id: hash(Number(who.id), "identifier"), email: hash(who.email, "email") };
  const before = await rowsOf(a);

  const ended = await forget(a, config, `--${by}`, who[by], "--yes");
  const other = await forget(a, a.config(), `--${by}`, who[by], "--dry-run");
  const rekeyed = { preset: "pseudonymous", key: `${KEY}.` };
  const wrong = await forget(a, a.config({ privacy: rekeyed }), `--${by}`, who[by], "--yes");

  expect(ended.code, ended.stderr).toBe(0);
  const text = (rows: unknown) => JSON.stringify(rows);
  for (const it of [hashed.id, hashed.email]) {
    expect(text(before)).toContain(it);
    expect(text(await rowsOf(a))).not.toContain(it);
    expect(bytesBelow(a.cwd)).not.toContain(it);
  }
  expect(printed(ended)["_kb4_state"]).toBe("1 bookmark");
  for (const refused of [other, wrong]) {
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/earlier rows were handed on under other privacy rules/);
  }
  // What is sealed is still sealed, and goes on.
  const args = ["sync", "--config", config, "--streams", "user_risk_score_history"];
  expect(await run("knowbe4", args, { cwd: a.cwd })).toMatchObject({ code: 0 });
});

test("tables that name nobody say so, and hold no hash of the person afterwards", async () => {
  const a = await account({ users: 20, tests: 3 });
  const who = manager(a);
  const { config } = await loaded(a, who, { privacy: { preset: "aggregate-only", key: KEY } });

  const ended = await forget(a, config, "--id", who.id, "--yes");

  expect(ended.code, ended.stderr).toBe(0);
  expect(printed(ended)).toMatchObject({ users: "1 row", enrollments: "names nobody" });
  expect(JSON.stringify(await rowsOf(a))).not.toContain(hash(Number(who.id), "identifier"));
});

test("a folder of files is written anew without them", async () => {
  const a = await account({ users: 20, tests: 3 });
  const who = manager(a);
  const { config } = await loaded(a, who, { destination: { type: "jsonl", path: "out" } });
  const lines = () => bytesBelow(join(a.cwd, "out")).split("\n");
  const before = lines();

  const counted = await forget(a, config, "--id", who.id, "--dry-run");
  const unchanged = lines();
  const ended = await forget(a, config, "--email", who.email, "--yes");
  const again = await forget(a, config, "--id", who.id, "--yes");

  expect([counted.code, ended.code, again.code], ended.stderr).toEqual([0, 0, 0]);
  expect(unchanged).toEqual(before);
  expect(ended.stdout).toBe(counted.stdout);
  expect(Object.values(printed(again)).filter((cell) => /[1-9]/.test(cell))).toEqual([]);
  expect(printed(ended)["users"]).toMatch(/^1 row \+ \d+ rows?$/);
  expect(printed(ended)["_kb4_rejects"]).toMatch(/^\d rows$/);
  expect(before.some(isOf(who))).toBe(true);
  const rows = (all: readonly string[]) => all.filter((line) => line.includes("_kb4_row_hash"));
  const managed = (line: string) =>
    line.includes(`"manager_email":"${who.email}"`) ? withoutManager(line) : line;
  const isData = (line: string) => line.startsWith("{") && !line.startsWith('{"version"');
  expect(lines().filter((line) => isData(line) && isOf(who)(line))).toEqual([]);
  expect(rows(lines()).filter(isData).sort()).toEqual(
    rows(before)
      .filter(isData)
      .map(managed)
      .filter((line) => !isOf(who)(line))
      .sort(),
  );
  const args = ["sync", "--config", config, "--streams", ALL.join(",")];
  expect(await run("knowbe4", args, { cwd: a.cwd })).toMatchObject({ code: 0 });
});

test("in Snowflake they go as well, from its tables, the rejects and the state", async () => {
  const a = await account({ users: 12, tests: 2 });
  const who = manager(a);
  const { standin, destination } = await snowflake(a);
  const { config } = await loaded(a, who, { destination });
  const tables = [...ALL.map((name) => name.toUpperCase()), "_KB4_REJECTS", "_KB4_STATE"];
  const held = async () => {
    const rows = await Promise.all(
      tables.map((table) => lookAt(standin.engine, "KB4.KNOWBE4", table)),
    );
    const text = (v: unknown) =>
      JSON.stringify(v, (_, x: unknown) => (typeof x === "bigint" ? Number(x) : x));
    return rows.flat().map(text);
  };
  const before = await held();

  const counted = await forget(a, config, "--email", who.email, "--dry-run");
  const unchanged = await held();
  const ended = await forget(a, config, "--email", who.email, "--yes");
  const again = await forget(a, config, "--id", who.id, "--yes");

  expect([counted.code, ended.code, again.code], ended.stderr).toEqual([0, 0, 0]);
  expect(unchanged).toEqual(before);
  expect(ended.stdout).toBe(counted.stdout);
  expect(printed(ended)).toMatchObject({
    users: expect.stringMatching(/^1 row/) as string,
    _kb4_state: "1 bookmark",
  });
  expect(Object.values(printed(again)).filter((cell) => /[1-9]/.test(cell))).toEqual([]);
  expect(before.filter(isOf(who)).length).toBeGreaterThan(10);
  const after = await held();
  expect(after.filter(isOf(who))).toEqual([]);
  expect(before.length - after.length).toBe(
    before.filter((line) => isOf(who)(line) && !line.includes(`"manager_email":"${who.email}"`))
      .length,
  );
  const args = ["sync", "--config", config, "--streams", ALL.join(",")];
  expect(await run("knowbe4", args, { cwd: a.cwd })).toMatchObject({ code: 0 });
});
