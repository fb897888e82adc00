import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { account } from "./support/account.js";
import { bytesBelow } from "./support/found.js";
import { run } from "./support/program.js";
import { forget, loaded, manager, printed, textOf } from "./support/someone.js";
import { ask, withDatabase } from "./support/tables.js";

/** Whom it is about, what waits for it, and what is refused. */

// Whole runs of programs.
vi.setConfig({ testTimeout: 180_000 });

test("rows that wait in the spool are committed first, and erased with the others", async () => {
  const a = await account({ users: 20, tests: 3 });
  const who = manager(a);
  const path = join(a.cwd, "knowbe4.duckdb");
  const inTheWay = (sql: string) => withDatabase(path, (c) => c.run(sql), "READ_WRITE");
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
  const other = [...a.simulator.account.rows("users")].find((u) => textOf(u["id"]) !== who.id);
  const otherId = textOf(other?.["id"]);
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
