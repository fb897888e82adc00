import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { account, KEY, type Account } from "./support/account.js";
import { expectDiscreet, expectOneLine, expectUntouched } from "./support/faulty.js";
import { run } from "./support/program.js";
import { ask } from "./support/tables.js";

/** Catalogs, states and messages that are not what they should be. */

function file(a: Account, content: string): string {
  const path = join(a.cwd, "given.json");
  writeFileSync(path, content);
  return path;
}

const stream = (entry: object) => JSON.stringify({ streams: [entry] });

test.each<[string, string | undefined, string]>([
  ["is not there", undefined, "does not exist"],
  ["is not JSON", `{"streams": ${KEY}`, "is not JSON"],
  ["is a list", "[]", "is not a JSON object"],
  ["has no streams", "{}", "streams is not a list"],
  ["has a stream that we do not", stream({ stream: "user" }), 'unknown stream "user"'],
  [
    "has a stream twice",
    `{"streams":[{"stream":"users"},{"stream":"users"}]}`,
    "is in the catalog twice",
  ],
  [
    "asks for a key that a stream does not have",
    stream({ stream: "users", key_properties: ["email"] }),
    "streams[0] (users): key_properties must be id",
  ],
  [
    "asks for a cursor that a stream does not have",
    stream({ stream: "users", replication_key: "joined_on" }),
    "streams[0] (users): replication_key cannot be set: the stream has none",
  ],
])("a catalog that %s: one line", async (_, content, line) => {
  const a = await account();
  const path = content === undefined ? join(a.cwd, "gone.json") : file(a, content);

  for (const flag of ["--catalog", "--properties"]) {
    const ended = await run("tap-knowbe4", ["--config", a.config(), flag, path], { cwd: a.cwd });
    expectOneLine(ended, 2, line);
  }
  expectUntouched(a);
});

test.each<[string, string | undefined, string]>([
  ["is not there", undefined, "does not exist"],
  ["is not JSON", `{"version": ${KEY}`, "is not JSON"],
  ["is empty", "", "is empty"],
  ["is of another shape", `{"bookmarks":{}}`, "no version: the state is not of this tap's shape"],
])("a state file that %s: one line and an exit status of its own", async (_, content, line) => {
  const a = await account();
  const path = content === undefined ? join(a.cwd, "gone.json") : file(a, content);

  const ended = await run("tap-knowbe4", ["--config", a.config(), "--state", path], { cwd: a.cwd });

  expectOneLine(ended, 8, line);
  expectUntouched(a);
});

const SCHEMA = `{"type":"SCHEMA","stream":"pets","schema":{"properties":{"id":{"type":"integer"},"name":{"type":"string"}}},"key_properties":["id"]}`;
const record = (row: object) => JSON.stringify({ type: "RECORD", stream: "pets", record: row });

test.each<[string, readonly string[], string]>([
  ["no JSON", [SCHEMA, "{"], "line 2: not JSON"],
  ["a list", [SCHEMA, "", "[]"], "line 3: not a JSON object"],
  ["another type", [`{"type":"ROW"}`], "line 1: unknown type of message"],
  ["a row without a schema", [record({ id: 1 })], `line 1: RECORD of "pets" before its SCHEMA`],
  [
    "a schema without keys",
    [`{"type":"SCHEMA","stream":"pets","schema":{"properties":{}}}`],
    `line 1: SCHEMA of "pets" without key_properties`,
  ],
  ["a batch", [SCHEMA, `{"type":"BATCH","stream":"pets"}`], "line 2: BATCH is not supported"],
  ["a row cut off", [SCHEMA, record({ id: 1 }).slice(0, -3)], "line 2: not JSON"],
  [
    "a value that does not fit",
    [SCHEMA, record({ id: "x" })],
    "line 2: a row does not fit its SCHEMA",
  ],
])("knowbe4 load reads %s: the line's number, exit status 6", async (_, lines, line) => {
  const a = await account();

  const ended = await run("knowbe4", ["load"], {
    cwd: a.cwd,
    env: { TAP_KNOWBE4_LOGLEVEL: "silent" },
    stdin: lines.join("\n"),
  });

  expectOneLine(ended, 6, line);
});

test("rows before a fault are kept as far as a state covers them", async () => {
  const a = await account();
  const lines = [
    SCHEMA,
    record({ id: 1, name: "Rex" }),
    `{"type":"STATE","value":{"at":1}}`,
    record({ id: 2, name: "Tom" }),
    "}",
  ];

  const ended = await run("knowbe4", ["load"], { cwd: a.cwd, stdin: lines.join("\n") });

  expect(ended).toMatchObject({ code: 6, stdout: `{"at":1}\n` });
  expect(ended.errors).toContain("knowbe4: line 5: not JSON");
  expectDiscreet(ended);
  const rows = await ask(join(a.cwd, "knowbe4.duckdb"), "SELECT id, name FROM db.knowbe4.pets");
  expect(rows).toEqual([{ id: "1", name: "Rex" }]);
});

test("rows that do not fit their schema end a load before a state covers them", async () => {
  const a = await account();
  const lines = [
    SCHEMA,
    record({ id: 1, name: "Rex" }),
    record({ id: "two", name: "Tom" }),
    record({ id: 3, name: "Pim" }),
    record({ id: "four", name: "Max" }),
    `{"type":"STATE","value":{"at":1}}`,
  ];
  const load = (rejects: string) => {
    const env = { TAP_KNOWBE4_MAX_REJECTS: rejects, TAP_KNOWBE4_LOGLEVEL: "silent" };
    return run("knowbe4", ["load"], { cwd: a.cwd, env, stdin: lines.join("\n") });
  };
  const path = join(a.cwd, "knowbe4.duckdb");

  expectOneLine(await load("1"), 6, "line 5: 2 rows do not fit their SCHEMA");

  const rejects = "SELECT stream, reason FROM db.knowbe4._kb4_rejects";
  const reject = { stream: "pets", reason: "pets: id is not a 64-bit integer" };
  expect(await ask(path, rejects)).toEqual([reject, reject]);
  expect(await load("2")).toMatchObject({ code: 0, stdout: `{"at":1}\n` });
  expect(await ask(path, "SELECT id FROM db.knowbe4.pets ORDER BY 1")).toEqual([
    { id: "1" },
    { id: "3" },
  ]);
});

test("load does not take its configuration and the messages from the same place", async () => {
  const a = await account();

  const ended = await run("knowbe4", ["load", "--config", "-"], { cwd: a.cwd, stdin: "{}" });

  expectOneLine(ended, 2, "load: --config - and the messages both need standard input");
  expectUntouched(a);
});

test("load does not replace tables: nobody says that the input is whole", async () => {
  const a = await account();
  const config = a.config({ destination: { mode: "replace" } });

  const ended = await run("knowbe4", ["load", "--config", config], { cwd: a.cwd, stdin: SCHEMA });

  expectOneLine(ended, 2, "load: destination.mode replace needs whole streams");
  expectUntouched(a);
});

test("state show of a destination that does not exist makes none", async () => {
  const a = await account();

  const ended = await run("knowbe4", ["state", "show"], { cwd: a.cwd });

  expectOneLine(ended, 2, "destination knowbe4.duckdb: does not exist");
  expectUntouched(a);
});
