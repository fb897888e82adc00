import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { keyedHash } from "../../src/core/privacy/values.js";
import type { Json } from "../../src/core/json.js";
import { rowsOf as lookAt } from "../support/snowflake/look.js";
import { account, ALL, type Account } from "./support/account.js";
import { spoilt } from "./support/canary.js";
import { bytesBelow } from "./support/found.js";
import { run, type Ended } from "./support/program.js";
import { snowflake } from "./support/snowflake.js";
import { ask, withDatabase } from "./support/tables.js";

/** One person is taken out of what was loaded, everywhere, and nobody else is. */

// Whole runs of programs.
vi.setConfig({ testTimeout: 180_000 });

const KEY = "a key for the hashes of the tests";
const hash = keyedHash(KEY);

interface Someone {
  readonly id: string;
  readonly email: string;
}

/** The manager of somebody, who is a member, was enrolled and got tests too. */
function manager({ simulator }: Account): Someone {
  const users = [...simulator.account.rows("users")];
  const ofOthers = new Set(users.map((u) => u["manager_email"]));
  const found = users.find((u) => ofOthers.has(u["email"]) && u["status"] === "active");
  if (found === undefined) throw new Error("nobody manages anybody");
  return { id: String(found["id"] as number), email: String(found["email"]) };
}

/** The account with a row of the person that does not fit, and settings to load all of it. */
async function loaded(
  a: Account,
  who: Someone,
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly config: string; readonly first: Ended }> {
  const url = await spoilt(a, (rows, { name }) => {
    if (name !== "users" && name !== "enrollments") return rows;
    const theirs = (rows as Readonly<Record<string, unknown>>[]).find((row) =>
      JSON.stringify(row).includes(`"id":${who.id}`),
    );
    const wrong = { phish_prone_percentage: "wrong", time_spent: "wrong", enrollment_id: 1 };
    return theirs === undefined ? rows : [{ ...theirs, ...wrong }, ...rows];
  });
  const config = a.config({ api_url: url, max_rejects: 50, start_date: "2025-05-20", ...more });
  const args = ["sync", "--config", config, "--streams", ALL.join(",")];
  const first = await run("knowbe4", args, { cwd: a.cwd });
  expect(first.code, first.stderr).toBe(0);
  return { config, first };
}

const forget = (a: Account, config: string, ...args: string[]): Promise<Ended> =>
  run("knowbe4", ["forget", "--config", config, "--log-level", "debug", ...args], { cwd: a.cwd });

/** Counts that were printed, by table. */
function printed({ stdout }: Ended): Readonly<Record<string, string>> {
  const lines = stdout.split("\n").slice(1);
  const cells = lines.map((line) => line.trim().split(/ {2,}/));
  return Object.fromEntries(cells.map(([table = "", ...rest]) => [table, rest.join(" + ")]));
}

/** What is said of columns, and which of them may be null. */
const COMMENTS =
  "SELECT table_name, column_name, comment, is_nullable FROM duckdb_columns() WHERE database_name = 'db' ORDER BY ALL";

/** Every row of every table, as text. */
async function rowsOf(a: Account): Promise<Readonly<Record<string, readonly string[]>>> {
  const path = join(a.cwd, "knowbe4.duckdb");
  const names = await ask(
    path,
    "SELECT table_name AS name FROM duckdb_tables() WHERE database_name = 'db'",
  );
  const all: Record<string, readonly string[]> = {};
  for (const { name } of names) {
    const rows = await ask(path, `SELECT to_json(t) AS t FROM db.knowbe4."${String(name)}" t`);
    all[String(name)] = rows.map(({ t }) => String(t)).sort();
  }
  return all;
}

/** Rows that are somebody's: by the id, and by the address where there is none. */
const isOf = (who: Someone) => (line: string) =>
  new RegExp(`"(id|user_id)":"?${who.id}[,"}]`).test(line) || line.includes(`"${who.email}"`);

/** Without what names a manager. */
const withoutManager = (line: string) =>
  line.replace(/"manager_(name|email)":(null|"[^"]*")/g, '"manager_$1":null');

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

test("rows that wait in the spool are committed first, and erased with the others", async () => {
  const a = await account({ users: 20, tests: 3 });
  const who = manager(a);
  const path = join(a.cwd, "knowbe4.duckdb");
  const inTheWay = (sql: string) =>
    withDatabase(path, async (c) => void (await c.run(sql)), "READ_WRITE");
  const { config } = await loaded(a, who);
  await inTheWay("ALTER TABLE db.knowbe4.groups RENAME TO set_aside");
  await inTheWay("CREATE VIEW db.knowbe4.groups AS SELECT 1 AS one");
  a.simulator.advance(1);
  const args = ["sync", "--config", config, "--full-refresh"];
  const broken = await run("knowbe4", args, { cwd: a.cwd });
  const spool = join(a.cwd, "knowbe4.duckdb.spool");
  const spooled = bytesBelow(spool);
  await inTheWay("DROP VIEW db.knowbe4.groups");
  await inTheWay("ALTER TABLE db.knowbe4.set_aside RENAME TO groups");

  const counted = await forget(a, config, "--id", who.id, "--dry-run");
  const ended = await forget(a, config, "--id", who.id, "--yes");

  expect(broken.code).toBe(7);
  expect(spooled).toContain(who.email);
  expect(counted.stderr).toContain("rows of an earlier run wait in the spool");
  expect(ended.code, ended.stderr).toBe(0);
  expect(bytesBelow(a.cwd)).not.toContain(who.email);
});

test("an address that two people have had is refused, one of them goes by the id", async () => {
  const a = await account({ users: 20, tests: 3 });
  const who = manager(a);
  const { config } = await loaded(a, who);
  const path = join(a.cwd, "knowbe4.duckdb");
  const other = [...a.simulator.account.rows("users")].find(
    (u) => String(u["id"] as Json) !== who.id,
  );
  const otherId = String(other!["id"] as Json);
  await withDatabase(
    path,
    async (c) => {
      await c.run(`UPDATE db.knowbe4.users SET email = '${who.email}' WHERE id = ${otherId}`);
    },
    "READ_WRITE",
  );

  const refused = await forget(a, config, "--email", who.email, "--yes");
  const ended = await forget(a, config, "--id", who.id, "--yes");

  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/more than one person has had this address/);
  expect(ended.code, ended.stderr).toBe(0);
  const [left] = await ask(
    path,
    `SELECT count(*) AS n FROM db.knowbe4.users WHERE id = ${otherId}`,
  );
  expect(Number(left?.["n"])).toBe(1);
});

test("what is wrong with the command is told in one line that repeats nothing of it", async () => {
  const a = await account();
  const config = a.config();
  const cases = [
    [[], "forget: whom? Give either --email or --id"],
    [["--id", "4711", "--email", "ada@example.org"], "forget: whom? Give either --email or --id"],
    [["--id", "ada4711"], "forget: --id is not a number"],
    [["--email", "ada4711"], "forget: --email is not an address"],
    [["--id", "4711"], "destination knowbe4.duckdb: does not exist"],
  ] as const;

  for (const [args, message] of cases) {
    const ended = await run("knowbe4", ["forget", "--config", config, ...args], { cwd: a.cwd });
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.errors).toHaveLength(1);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).not.toMatch(/ada|4711/);
  }
});

test("whom it is about can be told on standard input, which no list of processes shows", async () => {
  const a = await account({ users: 12, tests: 2 });
  const who = manager(a);
  const { config } = await loaded(a, who);
  const args = ["forget", "--config", config, "--email", "-", "--dry-run"];

  const ended = await run("knowbe4", args, { cwd: a.cwd, stdin: ` ${who.email}\n` });

  expect(printed(ended)["users"]).toMatch(/^1 row/);
});
