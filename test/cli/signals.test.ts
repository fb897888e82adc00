import { readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { account, truth, type Account } from "./support/account.js";
import { expectDiscreet } from "./support/faulty.js";
import { run, start } from "./support/program.js";
import { expectHeld, expectTables } from "./support/tables.js";

/** What a person's Ctrl-C, a runner's SIGTERM and a machine's SIGKILL leave behind. */

const DB = "knowbe4.duckdb";

/** Recipients of the first tests are answered, those of later ones never. */
function stalling(a: Account, after: number): void {
  const ids = truth(a, "security_tests").map((row) => row["pst_id"] as number);
  const path = new RegExp(`/(${ids.slice(after).join("|")})/recipients`);
  const fault = { kind: "stall", after: "headers" } as const;
  a.simulator.addFault({ match: { path }, times: Infinity, fault });
}

const sync = (a: Account) => ["sync", "--config", a.config(), "--log-level", "debug"];

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("one %s commits what is safe and ends with %d", async (signal, code) => {
  const a = await account({ tests: 8 });
  stalling(a, 4);
  const running = start("knowbe4", sync(a), { cwd: a.cwd });
  await running.said(/recipients 200/, 4);
  running.child.kill(signal);

  const ended = await running.ended;

  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(`warning: ${signal}: finishing what is safe to keep; once more`);
  expect(ended.stderr).toMatch(/ [\d,]+ rows committed to knowbe4.duckdb\n/);
  expect(ended.errors.at(-1)).toMatch(new RegExp(`^knowbe4: (.*: )?stopped by ${signal}$`));
  expectDiscreet(ended);
  await expectTables(a, join(a.cwd, DB), ["users", "groups", "group_members", "policies"]);
  a.simulator.clearFaults();
  const before = a.simulator.requests.length;
  expect((await run("knowbe4", sync(a), { cwd: a.cwd })).code).toBe(0);
  const asked = a.simulator.requests.slice(before).map((request) => request.path);
  expect(asked.filter((path) => path.includes("/recipients"))).toHaveLength(4);
  await expectTables(a, join(a.cwd, DB));
});

test("a second signal ends at once, and the next run is none the worse", async () => {
  const a = await account({ users: 500, latencyMs: 5 });
  const running = start("knowbe4", sync(a), { cwd: a.cwd });
  await running.said(/users: 5\d\d rows/);
  running.child.kill("SIGINT");
  running.child.kill("SIGINT");
  running.child.kill("SIGTERM");

  expect([130, 143]).toContain((await running.ended).code);

  expect((await run("knowbe4", sync(a), { cwd: a.cwd })).code).toBe(0);
  await expectTables(a, join(a.cwd, DB));
});

test("a simulator ends at a signal without a fuss", async () => {
  const running = start("knowbe4", ["simulate", "--users", "10"]);
  await running.wrote(/api_url/);
  running.child.kill("SIGINT");

  const ended = await running.ended;

  expect(ended.code).toBe(0);
  expect(ended.stderr).toContain("Ctrl-C ends it");
});

test("killed ten times at any moment, a sync still ends with the truth", async () => {
  const a = await account({ users: 120, tests: 20, latencyMs: 4 });
  const config = a.config({ page_size: 40, concurrency: 2 });
  const args = ["sync", "--config", config, "--log-level", "debug"];
  let killed = 0;
  for (let i = 0; i < 10; i++) {
    a.simulator.advance(1);
    const running = start("knowbe4", args, { cwd: a.cwd });
    const kill = () => running.child.kill("SIGKILL");
    // Anywhere from the first request to some time after the last, which is where it commits.
    const after = 1 + Math.floor(Math.random() * 45);
    const done = running.said(/ (?:200 in|\d+ requests?,)/, after).then(
      () => setTimeout(kill, Math.random() * 150),
      () => undefined,
    );
    const { code } = await running.ended;
    await done;
    if (code === 137) killed += 1;
    else expect(code).toBe(0);
  }

  const ended = await run("knowbe4", ["sync", "--config", config], { cwd: a.cwd });

  expect(ended.code).toBe(0);
  expect(killed).toBeGreaterThan(3);
  await expectHeld(a, join(a.cwd, DB));
  const left = readdirSync(join(a.cwd, `${DB}.spool`)).filter((name) => !/^(lock|tmp)/.test(name));
  expect(left).toEqual([]);
}, 60_000);
