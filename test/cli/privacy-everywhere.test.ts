import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { rowsOf } from "../support/snowflake/look.js";
import { configured, file, script } from "./airbyte/support.js";
import { account, ALL, DEFAULTS, type Account } from "./support/account.js";
import { plant } from "./support/canary.js";
import { besides, bytesBelow, found, KEPT, PRESETS, settings, spoiling } from "./support/found.js";
import { run, start, startShell, until } from "./support/program.js";
import { snowflake } from "./support/snowflake.js";

/**
 * Canaries that stand in every field that tells something of a person are found nowhere: in the other
 * programs and destinations, after faults, and in what a killed run leaves.
 */

// Whole runs of programs, and searches through all that they wrote.
vi.setConfig({ testTimeout: 120_000 });

const kept = KEPT.pseudonymous;
const streams = ALL.join(",");

/** Files of a run, without its key. */
function sync(a: Account, config: string, ...args: string[]) {
  return run("knowbe4", ["sync", "--config", config, "--log-level", "debug", ...args], {
    cwd: a.cwd,
  });
}

test.each(PRESETS)(
  "source-knowbe4 read, %s: in no message, log, trace or state",
  async (preset) => {
    const a = await account({ users: 12, tests: 3 });
    const url = await plant(a, spoiling);
    const config = a.config(settings(url, preset, { max_rejects: 50 }));
    const catalog = file(a, "catalog.json", configured(ALL));
    const line = `exec $NODE $SOURCE read --debug --config ${config} --catalog ${catalog}`;

    const ended = await startShell(line, { env: { SOURCE: script() }, cwd: a.cwd }).ended;

    expect(ended.code, ended.stderr + ended.stdout.slice(-500)).toBe(0);
    const lines = ended.stdout.split("\n");
    const isRecord = (text: string) => text.startsWith('{"type":"RECORD"');
    const records = lines.filter(isRecord);
    const others = lines.filter((text) => !isRecord(text)).join("\n");
    expect(records.length).toBeGreaterThan(50);
    expect(others).toContain('"DEBUG"');
    expect(others).toContain("sealed:");
    expect(besides(found(records.join("\n")), KEPT[preset])).toEqual([]);
    expect(found(others + ended.stderr)).toEqual([]);
  },
);

test("a folder of files: in no file of it", async () => {
  const a = await account({ users: 12, tests: 3 });
  const url = await plant(a, spoiling);
  const destination = { type: "jsonl", path: "out" };
  const config = a.config(settings(url, "pseudonymous", { max_rejects: 50, destination }));

  const ended = await sync(a, config, "--streams", streams);

  expect(ended.code, ended.stderr).toBe(0);
  const bytes = bytesBelow(a.cwd);
  expect(bytes).toContain("canary-users.department");
  expect(besides(found(bytes), kept)).toEqual([]);
  expect(found(ended.stdout + ended.stderr)).toEqual([]);
});

test("Snowflake: in no statement, no upload and no table", async () => {
  const a = await account({ users: 12, tests: 3 });
  const url = await plant(a, spoiling);
  const { standin, destination } = await snowflake(a);
  const config = a.config(settings(url, "pseudonymous", { max_rejects: 50, destination }));

  const ended = await sync(a, config, "--streams", streams);

  expect(ended.code, ended.stderr).toBe(0);
  expect(found(ended.stdout + ended.stderr)).toEqual([]);
  const asked = JSON.stringify(standin.requests);
  expect(asked).toContain("MERGE INTO");
  expect(besides(found(asked), kept)).toEqual([]);
  const tables = [...ALL.map((s) => s.toUpperCase()), "_KB4_STATE", "_KB4_REJECTS", "_KB4_LOADS"];
  const held = await Promise.all(
    tables.map((table) => rowsOf(standin.engine, "KB4.KNOWBE4", table)),
  );
  const text = JSON.stringify(held, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v));
  expect(text).toContain("canary-users.department");
  expect(besides(found(text), kept)).toEqual([]);
});

test("what a killed run leaves in the spool names nobody", async () => {
  const a = await account({ users: 12, tests: 3 });
  // The last stream never comes to its end.
  a.simulator.addFault({
    match: { stream: "user_risk_score_history", nth: 3 },
    fault: { kind: "status", status: 503 },
    times: Infinity,
  });
  const url = await plant(a, spoiling);
  const config = a.config(settings(url, "pseudonymous", { max_rejects: 50 }));
  const args = ["sync", "--config", config, "--log-level", "debug", "--streams", streams];
  const spool = join(a.cwd, "knowbe4.duckdb.spool");
  const running = start("knowbe4", args, { cwd: a.cwd });
  await running.said(/user_risk_score_history.*503|503.*user_risk_score_history/);
  await until(() => bytesBelow(spool).includes("canary-users.department"));

  running.child.kill("SIGKILL");
  const ended = await running.ended;

  expect(ended.code).toBe(137);
  expect(besides(found(bytesBelow(spool)), kept)).toEqual([]);
  expect(found(ended.stdout + ended.stderr)).toEqual([]);
});

test.each([
  ["answers 500", { kind: "status", status: 500 }],
  ["answers with a page", { kind: "html" }],
  ["gives no JSON", { kind: "json", body: '[{"canary-broken' }],
  ["refuses a person", { kind: "json", body: '{"message":"canary-user 4711000000000001"}' }],
  ["gives no rows", { kind: "json", body: '["canary-text", 7]' }],
] as const)("an endpoint below people that %s is told without an id", async (_, fault) => {
  const a = await account({ users: 12, tests: 3 });
  a.simulator.addFault({
    ...{ match: { stream: "user_risk_score_history" }, times: Infinity },
    fault,
  });
  const url = await plant(a);
  const retry = { max_attempts: 2, max_seconds: 1 };
  const config = a.config(settings(url, "pseudonymous", { retry }));

  const ended = await sync(a, config, "--streams", "users,user_risk_score_history");

  expect(ended.code).not.toBe(0);
  expect(ended.stderr).toContain("/v1/users/{user_id}/risk_score_history");
  expect(found(ended.stdout + ended.stderr)).toEqual([]);
});

test("the account's people are there without a preset, or these tests would find nothing", async () => {
  const a = await account({ users: 12, tests: 3 });
  const url = await plant(a);
  const destination = { type: "jsonl", path: "out" };
  const config = a.config(settings(url, "full", { destination }));

  const ended = await sync(a, config, "--streams", DEFAULTS.join(","));

  expect(ended.code, ended.stderr).toBe(0);
  expect(besides(found(bytesBelow(join(a.cwd, "out"))), kept).length).toBeGreaterThan(25);
  expect(readFileSync(config, "utf8")).toContain("full");
});
