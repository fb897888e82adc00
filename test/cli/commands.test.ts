import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { account } from "./support/account.js";
import { expectOneLine } from "./support/faulty.js";
import { folder, run, start, startShell } from "./support/program.js";
import { ask } from "./support/tables.js";

/** `demo`, `check` and `simulate`: what a newcomer types first. */

test("demo answers three questions out of the file it made, and says how to go on", async () => {
  const cwd = folder();

  const { code, stdout, stderr } = await run("knowbe4", ["demo", "--users", "200"], { cwd });

  expect(code).toBe(0);
  for (const question of [
    "Who clicks again and again?",
    "Which departments are late in training?",
    "How did the risk score move?",
  ]) {
    expect(stdout).toContain(question);
  }
  expect(stdout).not.toContain("(no rows)");
  expect(stdout).toMatch(/^person +department +tests +failed +reported +risk *$/m);
  expect(stdout).toMatch(/┤/);
  expect(stdout).toContain(`duckdb knowbe4.duckdb "from knowbe4.knowbe4.users limit 5"`);
  expect(stdout).toContain("TAP_KNOWBE4_API_KEY=... TAP_KNOWBE4_DESTINATION_PATH=account.duckdb");
  expect(stderr).toMatch(/^total +[\d,]+ +\d+ +\d+ +0 +[\d.]+ s/m);
  const [found] = await ask(
    join(cwd, "knowbe4.duckdb"),
    "SELECT count(*)::INTEGER AS n FROM db.knowbe4.users",
  );
  expect(found!["n"]).toBeGreaterThanOrEqual(200);
});

test("demo is the same whatever is set for the real thing, and can be run again", async () => {
  const cwd = folder();
  const env = { TAP_KNOWBE4_API_KEY: "mine", TAP_KNOWBE4_REGION: "mars", HTTPS_PROXY: "http://[" };
  const args = ["demo", "--users", "20", "--path", "demo.duckdb"];

  const first = await run("knowbe4", args, { cwd, env });
  const second = await run("knowbe4", args, { cwd });

  expect([first.code, second.code]).toEqual([0, 0]);
  expect(second.stdout).toBe(first.stdout);
  expect(existsSync(join(cwd, "knowbe4.duckdb"))).toBe(false);
});

test("check says which account a good key reads, in at most two requests, and where rows would go", async () => {
  const a = await account();

  const ended = await run("knowbe4", ["check", "--config", a.config()], { cwd: a.cwd });

  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(ended.stdout).toMatch(
    /^ok: region us, account ".+", \d+ seats\nok: destination duckdb knowbe4.duckdb, schema knowbe4\n$/,
  );
  expect(readdirSync(a.cwd).filter((name) => name.includes("duckdb"))).toEqual([]);
  expect(a.simulator.requestCount).toBeLessThanOrEqual(2);
});

test("what simulate prints is a configuration that the tap takes from standard input", async () => {
  const cwd = folder();
  const simulator = start("knowbe4", ["simulate", "--users", "20", "--seed", "7"], { cwd });
  const config = await simulator.wrote(/.*\n/);
  const { port } = new URL((JSON.parse(config) as { api_url: string }).api_url);

  const check = await run("knowbe4", ["check", "--config", "-"], { cwd, stdin: config });
  const advanced = await run("knowbe4", ["simulate", "--advance", "3", "--port", port]);
  const taken = await run("knowbe4", ["simulate", "--port", port]);

  expect(check).toMatchObject({ code: 0, stderr: "" });
  expect(advanced).toMatchObject({ code: 0, stdout: "today is 2026-06-04\n", stderr: "" });
  expectOneLine(taken, 2, `--port ${port}: is taken (give another one; 0 takes a free one)`);
});

test("a simulator that nobody started is not advanced", async () => {
  const a = await account();
  const port = new URL(a.simulator.url).port;
  await a.simulator[Symbol.asyncDispose]();

  const ended = await run("knowbe4", ["simulate", "--advance", "1", "--port", port]);

  expectOneLine(ended, 2, `--port ${port}: no simulator answers there`);
});

test("a first and a second run by hand, as the README has it", async () => {
  const cwd = folder();
  const simulator = start("knowbe4", ["simulate", "--users", "60"], { cwd });
  const config = await simulator.wrote(/.*\n/);

  const ended = await startShell(
    `cat > c.json
    $NODE $TAP --config c.json --discover > catalog.json &&
    $NODE $TAP --config c.json --catalog catalog.json > first &&
    grep '"type":"STATE"' first | tail -n 1 | sed 's/^{"type":"STATE","value"://; s/}$//' > state.json &&
    $NODE $TAP --config c.json --catalog catalog.json --state state.json > second &&
    grep -c RECORD first second`,
    { cwd, stdin: config },
  ).ended;

  const [first = 0, second = 0] = (ended.stdout.match(/\d+$/gm) ?? []).map(Number);
  expect(ended.code).toBe(0);
  expect(second).toBeGreaterThan(0);
  expect(second).toBeLessThan(first / 2);
});
