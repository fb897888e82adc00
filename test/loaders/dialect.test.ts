import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { expect, onTestFinished, test } from "vitest";

import type { ColumnType } from "../../src/core/fields.js";
import { stringify } from "../../src/core/json.js";
import type { Statement } from "../../src/loaders/dialect.js";
import { duckDbDialect } from "../../src/loaders/duckdb/dialect.js";
import { META, SEQUENCE, tableOf, type Table } from "../../src/loaders/table.js";
import { folder, stream } from "./support.js";

/** Statements about one thing. */
type Section = readonly [title: string, statements: readonly Statement[]];

const AT = "2026-06-01T00:00:00.000Z";

const people = tableOf(
  stream("people", {
    id: "integer",
    name: "string",
    score: "number",
    is_active: "boolean",
    joined_at: "timestamp",
    birthday: "date",
    jobs: "json",
  }),
);

/** Names that end a quotation, if one lets them. */
const odd: Table = {
  ...tableOf(stream(`o'dd "t"; --`, { [`k"1`]: "string", "k'2": "integer", "Ünï 🦊": "string" })),
  primaryKey: [`k"1`, "k'2"],
};
const plain: Table = { ...odd, name: "plain", description: "" };
const wide = tableOf(stream("wide", { id: "integer" }));

const staged = { table: people, relation: "_stage_1" };
const oddStaged = { table: odd, relation: "_stage_2" };
const asked = (purpose: string, sql: string): Statement => ({ purpose, sql });

const WIDENINGS: readonly (readonly [ColumnType, ColumnType])[] = [
  ["integer", "number"],
  ["integer", "string"],
  ["number", "string"],
  ["boolean", "string"],
  ["date", "timestamp"],
  ["date", "string"],
  ["timestamp", "string"],
  ["json", "string"],
];

/** Everything that the dialect can say, in an order in which it can be run. */
function script(spool: string): readonly Section[] {
  const dialect = duckDbDialect("knowbe4");
  const checkpoints = [
    { stream: "people", bookmark: { completedAt: AT } },
    { stream: "o'dd", bookmark: { completedAt: null, cursor: "2026-01-01" } },
  ];
  const move = { pipeline: "it's", loadId: "load-1", checkpoints, at: AT };
  const record = {
    loadId: "load-1",
    runId: "run-1",
    pipeline: "it's",
    startedAt: AT,
    committedAt: AT,
    toolVersion: "1.2.3",
  };
  const file = (name: string, longest: number) => ({
    path: join(spool, `${name}.ndjson`),
    rows: 1,
    longest,
  });
  const rejects: Table = {
    name: "_kb4_rejects",
    description: "",
    columns: [
      { name: "stream", type: "string", description: "" },
      { name: "reason", type: "string", description: "" },
      { name: "raw", type: "json", description: "" },
      { name: "seen_at", type: "timestamp", description: "" },
    ],
    primaryKey: [],
  };
  const vanishing = {
    table: people,
    relation: staged.relation,
    scopes: [
      { kind: "part", column: "id", value: 3 },
      { kind: "part", column: "id", value: 4 },
      { kind: "rest", column: "name", listed: ["it's", "b"] },
    ],
    at: AT,
  } as const;
  const oddVanishing = {
    table: odd,
    relation: null,
    scopes: [{ kind: "whole" }],
    at: AT,
  } as const;
  const kept: Table = { ...people, name: "kept", hasHistory: true };
  const oddKept: Table = { ...odd, name: `${odd.name} kept`, hasHistory: true };
  const keptVanishing = { ...vanishing, table: kept };
  const oddKeptVanishing = { ...oddVanishing, table: oddKept };
  const keeping = {
    staged: { table: kept, relation: staged.relation },
    loadId: "load-1",
    skipsUnchanged: true,
    hasRepeats: false,
  };
  const brought = { stream: "people", mode: "merge", staged: 2, rejected: 1 };
  return [
    ["attach", [dialect.attach(join(spool, "it's.duckdb"), "write")]],
    ["bookkeeping", dialect.bookkeeping()],
    ["describe", [asked("describe", dialect.describe())]],
    ["createTable", dialect.createTable(people)],
    ["createTable, odd names", dialect.createTable(odd)],
    ["createTable, without a comment of its own", dialect.createTable(plain)],
    [
      "addColumn",
      dialect.addColumn("people", { name: "age", type: "integer", description: "It's." }),
    ],
    [
      "addColumn, without a description",
      dialect.addColumn(odd.name, { name: `n"'w`, type: "json", description: "" }),
    ],
    ...WIDENINGS.map(([from, to]): Section => {
      const column = { name: `${from} to "${to}"`, type: from, description: "" };
      return [
        `widenColumn, ${from} to ${to}`,
        [
          ...dialect.createTable({ ...wide, name: `${from}_${to}`, columns: [column] }),
          ...dialect.widenColumn(`${from}_${to}`, column.name, from, to),
        ],
      ];
    }),
    ["stage", [dialect.stage(people, file("people", 100), "_stage_1")]],
    ["stage, odd names and long rows", [dialect.stage(odd, file("odd", 5_000_000), "_stage_2")]],
    ["stage, rejected rows", [dialect.stage(rejects, file("rejects", 100), "_stage_3")]],
    ["countStaged", [asked("count", dialect.countStaged(staged))]],
    ["findRepeats", [asked("repeats", dialect.findRepeats(oddStaged))]],
    ["moveState, first", dialect.moveState({ ...move, from: 0 })],
    ["moveState, later", dialect.moveState({ ...move, from: 1 })],
    ["countVanished", [asked("vanished", dialect.countVanished(vanishing))]],
    ["markVanished", [dialect.markVanished(vanishing)]],
    ["countVanished, nothing left", [asked("vanished", dialect.countVanished(oddVanishing))]],
    ["markVanished, nothing left", [dialect.markVanished(oddVanishing)]],
    ["createTable, with history", dialect.createTable(kept)],
    ["createTable, with history and odd names", dialect.createTable(oddKept)],
    ["history, makeView", dialect.history.makeView(kept, ["id", "name", "_kb4_valid_from"])],
    ["history, makeView, odd names", dialect.history.makeView(oddKept, [`k"1`, "Ünï 🦊"])],
    ["history, countVanished", [asked("vanished", dialect.countVanished(keptVanishing))]],
    ["history, markVanished", [dialect.markVanished(keptVanishing)]],
    ["history, markVanished, nothing left", [dialect.markVanished(oddKeptVanishing)]],
    ["history, merge", dialect.history.merge(keeping)],
    [
      "history, merge, keys that repeat and columns that are new",
      dialect.history.merge({
        ...keeping,
        staged: { table: oddKept, relation: oddStaged.relation },
        skipsUnchanged: false,
        hasRepeats: true,
      }),
    ],
    ["merge", dialect.merge({ staged, loadId: "load-1", skipsUnchanged: true, hasRepeats: false })],
    [
      "merge, keys that repeat and columns that are new",
      dialect.merge({
        staged: oddStaged,
        loadId: "load-1",
        skipsUnchanged: false,
        hasRepeats: true,
      }),
    ],
    ["append", dialect.append(staged, "load-1")],
    ["replace", dialect.replace("people", staged, "load-1")],
    ["replace, by nothing", dialect.replace(odd.name, null, "load-1")],
    ["appendRejects", [dialect.appendRejects("_stage_3", "load-1")]],
    [
      "recordLoad",
      dialect.recordLoad(record, [
        { ...brought, proof: '{"came":3}', relation: "_stage_1" },
        { ...brought, stream: "o'dd", proof: null, relation: null },
      ]),
    ],
    ["recordLoad, of the state alone", dialect.recordLoad(record, [])],
    ["readState", [asked("state", dialect.readState("it's"))]],
    [
      "countRows",
      [
        asked(
          "rows",
          dialect.countRows(
            { table: people.name, key: people.primaryKey, by: people.primaryKey[0] ?? null },
            "marks",
          ),
        ),
      ],
    ],
    [
      "countRows, all of a table of an earlier version",
      [
        asked(
          "rows",
          dialect.countRows({ table: people.name, key: people.primaryKey, by: null }, "no marks"),
        ),
      ],
    ],
    ["pipelines", [asked("pipelines", dialect.pipelines())]],
    ["appended", [asked("appended", dialect.appended())]],
    ["findLoad", [asked("find", dialect.findLoad("load-1"))]],
  ];
}

test("says what the golden file says", async () => {
  const text = script("/spool")
    .map(([title, statements]) => {
      const lines = statements.map(({ sql, isFence }) => `${isFence ? "-- fence\n" : ""}${sql};\n`);
      return `-- ${title}\n\n${lines.join("")}`;
    })
    .join("\n");

  await expect(text).toMatchFileSnapshot("../golden/loaders/duckdb.sql");
});

test("says nothing that DuckDB does not understand", async () => {
  const spool = await folder();
  await spooled(spool);
  const connection = await connected();

  for (const [, statements] of script(spool)) {
    for (const { sql, isFence } of statements) {
      const { rowsChanged } = await connection.run(sql);
      if (isFence === true) expect(rowsChanged, sql).toBe(1);
    }
  }

  const left = await connection.runAndReadAll("SELECT count(*)::INT AS n FROM kb4.knowbe4.people");
  expect(left.getRowObjectsJson()).toEqual([{ n: 1 }]);
});

test("knows its own types by the names that the catalogue gives them", () => {
  const { typeName, typeOf } = duckDbDialect("knowbe4");
  const types = ["string", "integer", "number", "boolean", "timestamp", "date", "json"] as const;

  expect(types.map((type) => typeOf(typeName(type)))).toEqual(types);
  expect(typeOf("timestamp with time zone")).toBe("timestamp");
  expect(["INTEGER", "TIMESTAMP", "HUGEINT", "DECIMAL(18,3)", "UUID", ""].map(typeOf)).toEqual(
    Array(6).fill(undefined),
  );
});

test("says what each statement is for, and no value in it", () => {
  const purposes = script("/spool").flatMap(([, statements]) => statements.map((s) => s.purpose));

  expect(purposes.every((purpose) => purpose !== "" && !purpose.includes("2026-"))).toBe(true);
});

async function connected(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.closeSync();
    instance.closeSync();
  });
  return connection;
}

/** A line for each file that the script stages. */
async function spooled(spool: string): Promise<void> {
  const [, extracted, digest] = META;
  const ours = { [extracted.name]: AT, [SEQUENCE.name]: 1, [digest.name]: "x" };
  const lines = {
    people: { id: 1, name: "Ada", ...ours },
    odd: { [`k"1`]: "a", "k'2": 2, "Ünï 🦊": "b", ...ours },
    rejects: { stream: "people", reason: "id: missing", raw: { a: 1 }, seen_at: AT },
  };
  for (const [name, line] of Object.entries(lines)) {
    await writeFile(join(spool, `${name}.ndjson`), `${stringify(line)}\n`);
  }
}
