import { join } from "node:path";

import { expect, test } from "vitest";

import { account } from "./support/account.js";
import { lastState, messagesIn } from "./support/messages.js";
import { run, start, startShell } from "./support/program.js";
import { ask, expectTables, tables } from "./support/tables.js";

/** Messages of the tap, ours or another, on the way into a DuckDB file. */

test("what the tap writes and load reads is what sync writes", async () => {
  const a = await account({ users: 60, tests: 8 });
  const config = a.config();
  const piped = await startShell(
    `$NODE $TAP --config ${config} --log-level error | $NODE $KNOWBE4 load`,
    { cwd: a.cwd, env: { TAP_KNOWBE4_DESTINATION_PATH: "piped.duckdb" } },
  ).ended;
  const synced = await run("knowbe4", ["sync", "--config", config], { cwd: a.cwd });

  expect([piped.code, synced.code]).toEqual([0, 0]);
  await expectTables(a, join(a.cwd, "piped.duckdb"));
  expect(await tables(join(a.cwd, "piped.duckdb"))).toEqual(
    await tables(join(a.cwd, "knowbe4.duckdb")),
  );
});

test("the last state comes out of load once everything is in, and the tap goes on with it", async () => {
  const a = await account({ tests: 8 });
  const piped = `$NODE $TAP --config ${a.config()}`;
  const load = "$NODE $KNOWBE4 load";
  const first = await startShell(`${piped} | tee messages | ${load} > state.json`, { cwd: a.cwd })
    .ended;
  const before = a.simulator.requestCount;
  a.simulator.advance(2);

  const second = await startShell(
    `${piped} --state state.json | ${load}; cat state.json messages`,
    {
      cwd: a.cwd,
    },
  ).ended;

  expect([first.code, second.code]).toEqual([0, 0]);
  const [, echoed = "", ...messages] = second.stdout.split("\n");
  expect(JSON.parse(echoed)).toEqual(lastState(messagesIn(messages.join("\n"))));
  expect(a.simulator.requestCount - before).toBeLessThan(before);
  const wanted = a.simulator.account.rows("risk_score_history");
  const [found] = await ask(
    join(a.cwd, "knowbe4.duckdb"),
    "SELECT count(*)::INTEGER AS n FROM db.knowbe4.risk_score_history",
  );
  expect(found).toEqual({ n: [...wanted].length });
});

test("a state is not on stdout before its rows are in the file", async () => {
  const a = await account();
  const load = start("knowbe4", ["load", "--log-level", "debug"], { cwd: a.cwd, stdin: null });
  const schema = { properties: { id: { type: "integer" } } };
  const say = (message: object) => load.child.stdin.write(`${JSON.stringify(message)}\n`);
  say({ type: "SCHEMA", stream: "pets", schema, key_properties: ["id"] });
  say({ type: "RECORD", stream: "pets", record: { id: 1 } });
  say({ type: "STATE", value: { at: 1 } });
  // One whose schema is heard of only after the state was taken.
  say({ type: "SCHEMA", stream: "toys", schema, key_properties: [] });
  await load.said(/started/, 2);
  load.child.kill("SIGKILL");

  const killed = await load.ended;
  const empty = await run("knowbe4", ["load"], { cwd: a.cwd });

  expect(killed.stdout).toBe("");
  expect(empty).toMatchObject({ code: 0, stdout: "" });
  const found = await ask(join(a.cwd, "knowbe4.duckdb"), "SHOW ALL TABLES");
  expect(found.map((row) => row["name"])).not.toContain("pets");
});

test("a fault in the messages ends load although the tap goes on", async () => {
  const a = await account();
  const load = start("knowbe4", ["load"], { cwd: a.cwd, stdin: null });
  load.child.stdin.write("what?\n");

  const ended = await load.ended;

  expect(ended.code).toBe(6);
  expect(ended.errors).toContain("knowbe4: line 1: not JSON");
});

test("a signal keeps what the tap's last state covers", async () => {
  const a = await account();
  const load = start("knowbe4", ["load", "--log-level", "debug"], { cwd: a.cwd, stdin: null });
  const schema = { properties: { id: { type: "integer" } } };
  const say = (message: object) => load.child.stdin.write(`${JSON.stringify(message)}\n`);
  say({ type: "SCHEMA", stream: "pets", schema, key_properties: ["id"] });
  say({ type: "RECORD", stream: "pets", record: { id: 1 } });
  say({ type: "STATE", value: { at: 1 } });
  say({ type: "RECORD", stream: "pets", record: { id: 2 } });
  say({ type: "SCHEMA", stream: "toys", schema, key_properties: [] });
  await load.said(/started/, 2);
  load.child.kill("SIGTERM");

  const ended = await load.ended;

  expect(ended).toMatchObject({ code: 143, stdout: `{"at":1}\n` });
  const rows = await ask(join(a.cwd, "knowbe4.duckdb"), "SELECT id FROM db.knowbe4.pets");
  expect(rows).toEqual([{ id: "1" }]);
});

test("messages of another tap make tables of their own, with what their schema does not say", async () => {
  const a = await account();
  const lines = [
    `{"type":"SCHEMA","stream":"Pets","schema":{"properties":{"id":{"type":["integer"]},"born":{"type":["null","string"],"format":"date-time"},"tags":{"type":"array"}}},"key_properties":["id"]}`,
    `{"type":"RECORD","stream":"Pets","record":{"id":9007199254740993,"born":"2025-01-02T03:04:05+02:00","tags":["a"],"age":3}}`,
    `{"type":"RECORD","stream":"Pets","record":{"id":2,"born":null}}`,
    `{"type":"STATE","value":{"bookmarks":{"Pets":{}}}}`,
  ];

  const ended = await run("knowbe4", ["load"], { cwd: a.cwd, stdin: lines.join("\n") });

  expect(ended).toMatchObject({ code: 0, stdout: `{"bookmarks":{"Pets":{}}}\n` });
  const rows = await ask(
    join(a.cwd, "knowbe4.duckdb"),
    "SELECT id, born AT TIME ZONE 'UTC' AS born, tags, _extra FROM db.knowbe4.\"Pets\" ORDER BY id",
  );
  expect(rows).toEqual([
    { id: "2", born: null, tags: null, _extra: null },
    { id: "9007199254740993", born: "2025-01-02 01:04:05", tags: '["a"]', _extra: '{"age":3}' },
  ]);
});
