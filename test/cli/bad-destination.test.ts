import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { account, type Account } from "./support/account.js";
import { expectDiscreet, expectFailure, expectOneLine } from "./support/faulty.js";
import { run, start, startShell, type Ended } from "./support/program.js";
import { ask, expectTables, tables, withDatabase } from "./support/tables.js";

/** Files, folders and tables that refuse what is to be written. */

function sync(a: Account, path: string, args: readonly string[] = []): Promise<Ended> {
  const config = a.config({ destination: { path } });
  return run("knowbe4", ["sync", "--config", config, ...args], { cwd: a.cwd });
}

test("a folder that cannot be made: one line, and nothing is read", async () => {
  const a = await account();
  writeFileSync(join(a.cwd, "taken.json"), "");

  const ended = await sync(a, "taken.json/knowbe4.duckdb");

  expectOneLine(ended, 7, "a file stands where a folder should be");
  expect(a.simulator.requestCount).toBe(0);
});

test("a folder in place of the file: one line, and nothing is read", async () => {
  const a = await account();
  mkdirSync(join(a.cwd, "folder"));

  const ended = await sync(a, "folder");

  expectOneLine(ended, 7, "destination folder: it is a folder");
  expect(a.simulator.requestCount).toBe(0);
  expect(readdirSync(join(a.cwd, "folder"))).toEqual([]);
});

test.each(["sync", "load", "state show"])(
  "a file that is no database is left as it is by %s",
  async (command) => {
    const a = await account();
    const path = join(a.cwd, "notes.txt");
    writeFileSync(path, "not a database\n".repeat(1_000));
    const config = a.config({ destination: { path: "notes.txt" } });

    const args = [...command.split(" "), "--config", config];
    const ended = await run("knowbe4", args, { cwd: a.cwd });

    expectOneLine(ended, 7, "destination notes.txt: the file is not a DuckDB database");
    expect(readFileSync(path, "utf8")).toBe("not a database\n".repeat(1_000));
    expect(a.simulator.requestCount).toBe(0);
  },
);

test("a database that another process holds: an exit status of its own, and nothing is read", async () => {
  const a = await account();
  const path = join(a.cwd, "held.duckdb");

  const ended = await withDatabase(path, () => sync(a, "held.duckdb"), "READ_WRITE");

  expectOneLine(ended, 9, "destination held.duckdb: another process holds the database");
  expect(a.simulator.requestCount).toBe(0);
});

test("a second run into the same file is refused, and the first one ends well", async () => {
  const a = await account({ latencyMs: 50 });
  const args = ["sync", "--config", a.config(), "--log-level", "debug"];
  const first = start("knowbe4", args, { cwd: a.cwd });
  await first.said(/started/);

  const second = await run("knowbe4", ["sync", "--config", a.config()], { cwd: a.cwd });

  expectOneLine(second, 9, "destination: another run is writing to it");
  expect((await first.ended).code).toBe(0);
  await expectTables(a, join(a.cwd, "knowbe4.duckdb"));
});

test("somebody who reads the file meanwhile is waited for", async () => {
  const a = await account();
  const path = join(a.cwd, "read.duckdb");
  await sync(a, "read.duckdb", ["--streams", "policies"]);
  const config = a.config({ destination: { path: "read.duckdb" } });
  a.simulator.addFault({ match: { stream: "users" }, fault: { kind: "delay", ms: 300 } });
  const args = ["sync", "--config", config, "--log-level", "debug"];
  const running = start("knowbe4", args, { cwd: a.cwd });
  await running.said(/started/);

  await withDatabase(path, () => running.said(/waiting 60 s: read.duckdb is in use/));

  expect((await running.ended).code).toBe(0);
  await expectTables(a, path);
});

test.each<[string, string, string]>([
  [
    "another type",
    "ALTER TABLE db.knowbe4.users ALTER current_risk_score SET DATA TYPE INTERVAL USING NULL",
    "users.current_risk_score: its type was changed to INTERVAL",
  ],
  [
    "a column of the loader's dropped",
    "ALTER TABLE db.knowbe4.users DROP COLUMN _kb4_row_hash",
    "users: the loader's column _kb4_row_hash is missing",
  ],
  [
    "a view in its place",
    "ALTER TABLE db.knowbe4.users RENAME TO people; CREATE VIEW db.knowbe4.users AS FROM db.knowbe4.people",
    "users: a view stands where the table should be",
  ],
])("a table that a person gave %s: one line, no other table moves", async (_, sql, line) => {
  const a = await account();
  const path = join(a.cwd, "knowbe4.duckdb");
  await sync(a, "knowbe4.duckdb");
  await withDatabase(path, (connection) => connection.run(sql), "READ_WRITE");
  const others = ["enrollments", "risk_score_history", "groups"] as const;
  const before = await tables(path, others);
  a.simulator.advance(3);

  const ended = await sync(a, "knowbe4.duckdb");

  expectFailure(ended, 7, line);
  expect(await tables(path, others)).toEqual(before);
});

test("what was refused for an altered table is committed once it is as it was", async () => {
  const a = await account();
  const path = join(a.cwd, "knowbe4.duckdb");
  const rename = (from: string, to: string) =>
    withDatabase(
      path,
      (c) => c.run(`ALTER TABLE db.knowbe4.groups RENAME COLUMN ${from} TO ${to}`),
      "READ_WRITE",
    );
  await sync(a, "knowbe4.duckdb");
  await rename("_kb4_load_id", "load");
  a.simulator.account.renameGroup();
  expect((await sync(a, "knowbe4.duckdb")).code).toBe(7);
  await rename("load", "_kb4_load_id");
  const before = a.simulator.requestCount;

  const ended = await sync(a, "knowbe4.duckdb", ["--streams", "policies"]);

  expect(ended.code).toBe(0);
  expect(ended.stderr).toMatch(/committed [\d,]+ rows that an earlier run had left/);
  // Whose account it is, the listing, and that it ends there.
  expect(a.simulator.requestCount - before).toBe(3);
  await expectTables(a, path);
});

test("a disk that fills up while rows are spooled: one line, and the next run goes on", async () => {
  const a = await account({ users: 60 });
  const config = a.config();
  const streams = "--streams users,user_risk_score_history";

  // Files of at most so many blocks of 512 bytes: enough for the database, not for the history.
  const ended = await startShell(
    `trap '' XFSZ; ulimit -f 6000; exec $NODE $KNOWBE4 sync --config ${config} ${streams}`,
    { cwd: a.cwd },
  ).ended;

  expectFailure(
    ended,
    7,
    "destination: spool folder: the file may not grow further (make room, or set",
  );
  const path = join(a.cwd, "knowbe4.duckdb");
  expect(await ask(path, "SELECT stream FROM db.knowbe4._kb4_loads")).toEqual([]);
  const spool = readdirSync(`${path}.spool`).filter((name) => name.length === 19);
  expect(spool, "what was never promised is cleared away").toEqual([]);
  expect((await sync(a, "knowbe4.duckdb", streams.split(" "))).code).toBe(0);
  await expectTables(a, path, ["users", "user_risk_score_history"]);
});

test("a reader of the closing table that goes does not end a sync", async () => {
  const a = await account();

  const { stdout } = await startShell(
    `{ $NODE $KNOWBE4 sync --config ${a.config()} 2>&1 >/dev/null; echo "status $?" >&3; } 3>status.txt | head -n 1`,
    { cwd: a.cwd },
  ).ended;

  expect(stdout).toMatch(/account: /);
  expect(readFileSync(join(a.cwd, "status.txt"), "utf8")).toBe("status 0\n");
  await expectTables(a, join(a.cwd, "knowbe4.duckdb"));
});

test("the demo's people and an account's do not get into one file", async () => {
  const a = await account();
  const demo = (path: string) =>
    run("knowbe4", ["demo", "--users", "20", "--path", path], { cwd: a.cwd });
  await sync(a, "real.duckdb", ["--streams", "policies"]);
  const made = await demo("demo.duckdb");

  const onReal = await demo("real.duckdb");
  const onDemo = await sync(a, "demo.duckdb");

  expect(made.code).toBe(0);
  const what = "which must not be mixed with";
  expectFailure(
    onReal,
    2,
    `destination real.duckdb: holds rows of pipeline knowbe4, ${what} demo's`,
  );
  expectOneLine(
    onDemo,
    2,
    `destination demo.duckdb: holds rows of pipeline demo, ${what} knowbe4's`,
  );
  expectDiscreet(onReal);
  await expectTables(a, join(a.cwd, "real.duckdb"), ["policies"]);
});
