import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { sourceKnowbe4 } from "../../src/cli/airbyte/program.js";
import { keyedHash } from "../../src/core/privacy/values.js";
import { account, ALL, type Account } from "./support/account.js";
import { plant } from "./support/canary.js";
import {
  besides,
  bytesBelow,
  found,
  KEPT,
  KEY,
  PRESETS,
  settings,
  spoiling,
} from "./support/found.js";
import { run } from "./support/program.js";
import { ask, withDatabase } from "./support/tables.js";

/**
 * Canaries stand in every field of every stream that tells something of a person. Under a preset
 * none comes out anywhere but in the columns that it keeps.
 */

// Whole runs of programs, and searches through all that they wrote.
vi.setConfig({ testTimeout: 60_000 });

/** Every table as text. */
async function tablesOf(a: Account): Promise<string> {
  const path = join(a.cwd, "knowbe4.duckdb");
  const names = await ask(
    path,
    "SELECT table_name AS name FROM duckdb_tables() WHERE database_name = 'db'",
  );
  const all = await Promise.all(
    names.map(({ name }) =>
      ask(path, `SELECT to_json(t) AS t FROM db.knowbe4."${String(name)}" t`),
    ),
  );
  return JSON.stringify(all);
}

test.each(PRESETS)("knowbe4 sync, %s: in no table, file or log", async (preset) => {
  const a = await account({ users: 12, tests: 3 });
  const url = await plant(a, spoiling);
  const config = a.config(settings(url, preset, { max_rejects: 50 }));
  const args = ["--config", config, "--log-level", "debug", "--streams", ALL.join(",")];

  const ended = await run("knowbe4", ["sync", ...args], { cwd: a.cwd });

  expect(ended.code, ended.stderr).toBe(0);
  expect(found(ended.stdout + ended.stderr)).toEqual([]);
  const rows = await ask(
    join(a.cwd, "knowbe4.duckdb"),
    "SELECT (SELECT count(*) FROM db.knowbe4.users) AS u, (SELECT count(*) FROM db.knowbe4._kb4_rejects) AS r",
  );
  expect(Number(rows[0]?.["u"])).toBe(12);
  expect(Number(rows[0]?.["r"])).toBeGreaterThan(5);
  expect(besides(found(await tablesOf(a)), KEPT[preset])).toEqual([]);
  // DuckDB notes the first eight bytes of a column's least and greatest value.
  const bytes = found(bytesBelow(a.cwd)).filter((word) => word !== "canary-u");
  expect(besides(bytes, KEPT[preset])).toEqual([]);
});

test("without a preset they are all there: the search finds what it looks for", async () => {
  const a = await account({ users: 12, tests: 3 });
  const url = await plant(a, spoiling);
  const config = a.config(settings(url, "full", { max_rejects: 50 }));

  const ended = await run("knowbe4", ["sync", "--config", config], { cwd: a.cwd });

  expect(ended.code, ended.stderr).toBe(0);
  expect(found(ended.stdout + ended.stderr)).toEqual([]);
  const words = found(await tablesOf(a));
  for (const word of ["canary-users.first_name", "canary-enrollments.user.email", "canary-text"]) {
    expect(words).toContain(word);
  }
  expect(words.filter((w) => w.startsWith("canary-")).length).toBeGreaterThan(25);
  expect(words.filter((w) => w.startsWith("4711")).length).toBe(12);
  expect(found(bytesBelow(a.cwd)).length).toBeGreaterThan(10);
});

test("a load that the database refuses waits in the spool as it would have gone in", async () => {
  const a = await account({ users: 12, tests: 3 });
  const url = await plant(a, spoiling);
  const config = a.config(settings(url, "pseudonymous", { max_rejects: 50 }));
  const path = join(a.cwd, "knowbe4.duckdb");
  await withDatabase(
    path,
    async (connection) => {
      await connection.run("CREATE SCHEMA db.knowbe4");
      await connection.run("CREATE VIEW db.knowbe4.users AS SELECT 1 AS one");
    },
    "READ_WRITE",
  );

  const ended = await run("knowbe4", ["sync", "--config", config, "--log-level", "debug"], {
    cwd: a.cwd,
  });

  expect(ended.code, ended.stderr).toBe(7);
  const spooled = bytesBelow(join(a.cwd, "knowbe4.duckdb.spool"));
  expect(spooled).toContain("canary-users.department");
  expect(besides(found(spooled), KEPT.pseudonymous)).toEqual([]);
  expect(found(ended.stdout + ended.stderr)).toEqual([]);
});

test("a stream that fails says why and names nobody", async () => {
  const a = await account({ users: 12, tests: 3 });
  const url = await plant(a, spoiling);
  const config = a.config(settings(url, "pseudonymous"));

  const ended = await run("knowbe4", ["sync", "--config", config, "--log-level", "debug"], {
    cwd: a.cwd,
  });

  expect(ended.code).toBe(6);
  expect(ended.stderr).toContain("rejected");
  expect(found(ended.stdout + ended.stderr)).toEqual([]);
});

test.each(PRESETS)("tap-knowbe4, %s: in no message and no log", async (preset) => {
  const a = await account({ users: 12, tests: 3 });
  const url = await plant(a, spoiling);
  const config = a.config(settings(url, preset, { max_rejects: 50 }));
  const args = ["--config", config, "--log-level", "debug"];

  const ended = await run("tap-knowbe4", args, { cwd: a.cwd });

  expect(ended.code, ended.stderr).toBe(0);
  const lines = ended.stdout.split("\n");
  const records = lines.filter((line) => line.startsWith('{"type":"RECORD"'));
  const others = lines.filter((line) => !line.startsWith('{"type":"RECORD"'));
  expect(records.length).toBeGreaterThan(50);
  expect(besides(found(records.join("\n")), KEPT[preset])).toEqual([]);
  expect(found(others.join("\n") + ended.stderr)).toEqual([]);
});

test("the catalogs of both protocols have the columns that the rows will have", async () => {
  const a = await account();
  const config = a.config(settings(a.simulator.url, "pseudonymous"));

  const singer = await run("tap-knowbe4", ["--config", config, "--discover"], { cwd: a.cwd });
  const own = await run("knowbe4", ["discover", "--config", config], { cwd: a.cwd });
  const written: string[] = [];
  await sourceKnowbe4(["discover", "--config", config], {
    ...({ env: {} } as Parameters<typeof sourceKnowbe4>[1]),
    stdout: { write: (text: string) => written.push(text) > 0 } as never,
  });

  expect(own.stdout).toBe(singer.stdout);
  type Catalog = Readonly<{ streams: readonly { schema: Schema; json_schema: Schema }[] }>;
  type Schema = Readonly<{ properties: Readonly<Record<string, { type: unknown }>> }>;
  const [users] = (JSON.parse(singer.stdout) as Catalog).streams;
  const [airbyte] = (JSON.parse(written.join("")) as { catalog: Catalog }).catalog.streams;
  for (const properties of [users!.schema.properties, airbyte!.json_schema.properties]) {
    expect(properties["id"]?.type).toEqual(["string"]);
    expect(properties).not.toHaveProperty("first_name");
    expect(properties).not.toHaveProperty("_extra");
  }
});

test("hashes of the tables are those that anybody with the key makes, and they join", async () => {
  const a = await account({ users: 12, tests: 3 });
  const config = a.config(settings(a.simulator.url, "pseudonymous"));
  await run("knowbe4", ["sync", "--config", config], { cwd: a.cwd });

  const path = join(a.cwd, "knowbe4.duckdb");
  const joined = await ask(
    path,
    "SELECT count(*) AS n FROM db.knowbe4.users u JOIN db.knowbe4.group_members m ON m.user_id = u.id",
  );
  const stored = await ask(path, "SELECT id, email FROM db.knowbe4.users");

  const hash = keyedHash(KEY);
  const expected = [...a.simulator.account.rows("users")].map(
    (r) => `${hash(r["id"] as number, undefined)} ${hash(r["email"] as string, "email")}`,
  );
  expect(stored.map((r) => `${String(r["id"])} ${String(r["email"])}`).sort()).toEqual(
    expected.sort(),
  );
  expect(Number(joined[0]?.["n"])).toBeGreaterThan(0);
});

test("what is wrong with the rules is told by every program, in one line, exit status 2", async () => {
  const a = await account();
  const wrong = a.config({ privacy: { rules: { "users.emial": "drop" } } });
  const keyless = a.config({ privacy: { preset: "pseudonymous" } });

  for (const [bin, args] of [
    ["knowbe4", ["sync"]],
    ["knowbe4", ["check"]],
    ["knowbe4", ["plan"]],
    ["tap-knowbe4", []],
    ["tap-knowbe4", ["--discover"]],
  ] as const) {
    const ended = await run(bin, [...args, "--config", wrong], { cwd: a.cwd });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toBe(
      `${bin}: config: privacy.rules.users.emial: unknown column "emial": did you mean "email"?\n`,
    );
  }
  const missing = await run("knowbe4", ["sync", "--config", keyless], { cwd: a.cwd });
  expect(missing).toMatchObject({ code: 2, stdout: "" });
  expect(missing.errors[0]).toMatch(/privacy\.key is missing: users\.id is to be hashed/);
  expect(a.simulator.requestCount).toBe(0);
});

test("messages of other programs are refused under privacy rules, not loaded as they are", async () => {
  const a = await account();
  const config = a.config({ privacy: { preset: "pseudonymous", key: KEY } });

  const ended = await run("knowbe4", ["load", "--config", config], { cwd: a.cwd, stdin: "" });

  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(/^knowbe4: load: privacy applies to rows of KnowBe4 only/);
});

test("other rules than those of the rows that are there are refused", async () => {
  const a = await account({ users: 12, tests: 3 });
  await run("knowbe4", ["sync", "--config", a.config()], { cwd: a.cwd });
  const config = a.config(settings(a.simulator.url, "pseudonymous"));

  const ended = await run("knowbe4", ["sync", "--config", config], { cwd: a.cwd });

  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain("earlier rows were handed on under other privacy rules");
});

test("nothing is taken for gone because its key is hashed", async () => {
  const a = await account({ users: 12, tests: 3 });
  const rules = {
    ...{ "group_members.group_id": "hash", "security_test_recipients.pst_id": "hash" },
    "enrollments.campaign_id": "hash",
  };
  const privacy = { preset: "pseudonymous", key: KEY, rules };
  const settled = settings(a.simulator.url, "pseudonymous", {
    ...{ privacy, destination: { max_vanished_ratio: 1 } },
  });
  const args = ["sync", "--config", a.config(settled), "--streams", ALL.join(",")];
  const path = join(a.cwd, "knowbe4.duckdb");
  const count = async (table: string) => {
    const sql = `SELECT count(*) AS n, count(_kb4_deleted_at) AS gone FROM db.knowbe4.${table}`;
    const [row] = await ask(path, sql);
    return [Number(row?.["n"]), Number(row?.["gone"])];
  };

  const first = await run("knowbe4", args, { cwd: a.cwd });
  const second = await run("knowbe4", args, { cwd: a.cwd });

  expect([first.code, second.code], second.stderr).toEqual([0, 0]);
  for (const stream of ALL) {
    const [rows, gone] = await count(stream);
    expect(rows, stream).toBeGreaterThan(0);
    expect(gone, stream).toBe(0);
  }
});
