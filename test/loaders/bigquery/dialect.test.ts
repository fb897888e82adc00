import { expect, test } from "vitest";

import type { ColumnType } from "../../../src/core/fields.js";
import { bigQueryDialect } from "../../../src/loaders/bigquery/dialect.js";
import type { Statement } from "../../../src/loaders/dialect.js";
import { tableOf, type Table } from "../../../src/loaders/table.js";
import { stream } from "../support.js";

/** The SQL that goes to BigQuery, without one. */

type Section = readonly [title: string, statements: readonly Statement[]];

const AT = "2026-06-01T00:00:00.000Z";
const dialect = bigQueryDialect("test-project", "knowbe4");

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
const pairs = tableOf(
  stream(
    "pairs",
    { a: "integer", b: "string", c: "number", d: "date" },
    { primaryKey: ["b", "c", "a"] },
  ),
);
const keyless = {
  ...tableOf(stream("keyless", { "Ünï-1": "string" })),
  description: "",
  primaryKey: [],
};
const staged = { table: people, relation: dialect.staging("_kb4_stage_1") };
const pairsStaged = { table: pairs, relation: dialect.staging("_kb4_stage_2") };
const merging = { staged, loadId: "load-1", skipsUnchanged: true, hasRepeats: false };
const asked = (purpose: string, sql: string | null): Statement => ({ purpose, sql: sql ?? "" });

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

const record = {
  loadId: "load-1",
  runId: "run-1",
  pipeline: "it's",
  startedAt: AT,
  committedAt: AT,
  toolVersion: "1.2.3",
};
const move = {
  pipeline: "it's",
  loadId: "load-1",
  checkpoints: [
    { stream: "people", bookmark: { completedAt: AT } },
    { stream: "o'd\\d", bookmark: { completedAt: null, cursor: "2026-01-01" } },
  ],
  at: AT,
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
const pairsVanishing = {
  table: pairs,
  relation: null,
  scopes: [{ kind: "whole" }],
  at: AT,
} as const;
const kept: Table = { ...people, name: "kept", hasHistory: true };
const pairsKept: Table = { ...pairs, name: `${pairs.name} kept`, hasHistory: true };
const keptVanishing = { ...vanishing, table: kept };
const pairsKeptVanishing = { ...pairsVanishing, table: pairsKept };
const keeping = {
  staged: { table: kept, relation: staged.relation },
  loadId: "load-1",
  skipsUnchanged: true,
  hasRepeats: false,
};
const brought = { stream: "people", mode: "merge", staged: 2, rejected: 1 };
const proof = '{"came":2,"ends":"it\'s empty"}';

/** Everything that the dialect can say. */
const SCRIPT: readonly Section[] = [
  ["bookkeeping", dialect.bookkeeping()],
  ["describe", [asked("describe", dialect.describe())]],
  ["createTable", dialect.createTable(people)],
  ["createTable, several keys", dialect.createTable(pairs)],
  ["createTable, without a key", dialect.createTable(keyless)],
  [
    "createTable, by month",
    ["joined_at", "birthday", "name"].flatMap((partition) =>
      dialect.createTable({ ...people, partition }),
    ),
  ],
  [
    "addColumn",
    dialect.addColumn("people", { name: "age", type: "integer", description: "It's." }),
  ],
  ...WIDENINGS.map(([from, to]): Section => [
    `widenColumn, ${from} to ${to}`,
    dialect.widenColumn("people", "name", from, to),
  ]),
  ["countChanges", [asked("count", dialect.countChanges(merging))]],
  ["moveState, first", dialect.moveState({ ...move, from: 0 })],
  ["moveState, later", dialect.moveState({ ...move, from: 1 })],
  ["moveState, without bookmarks", dialect.moveState({ ...move, checkpoints: [], from: 1 })],
  ["countVanished", [asked("vanished", dialect.countVanished(vanishing))]],
  ["markVanished", [dialect.markVanished(vanishing)]],
  ["countVanished, nothing left", [asked("vanished", dialect.countVanished(pairsVanishing))]],
  ["markVanished, nothing left", [dialect.markVanished(pairsVanishing)]],
  ["createTable, with history", dialect.createTable(kept)],
  ["createTable, with history and several keys", dialect.createTable(pairsKept)],
  ["history, makeView", dialect.history.makeView(kept, ["id", "name", "_kb4_valid_from"])],
  ["history, makeView, several keys", dialect.history.makeView(pairsKept, ["a", "b"])],
  ["history, countVanished", [asked("vanished", dialect.countVanished(keptVanishing))]],
  ["history, markVanished", [dialect.markVanished(keptVanishing)]],
  ["history, markVanished, nothing left", [dialect.markVanished(pairsKeptVanishing)]],
  ["history, countChanges", [asked("changes", dialect.history.countChanges(keeping))]],
  ["history, merge", dialect.history.merge(keeping)],
  [
    "history, merge, keys that repeat and columns that are new",
    dialect.history.merge({
      ...keeping,
      staged: { table: pairsKept, relation: pairsStaged.relation },
      skipsUnchanged: false,
      hasRepeats: true,
    }),
  ],
  ["merge", dialect.merge(merging)],
  [
    "merge, columns that are new",
    dialect.merge({ ...merging, staged: pairsStaged, skipsUnchanged: false }),
  ],
  ["append", dialect.append(staged, "load-1")],
  ["replace", dialect.replace("people", staged, "load-1")],
  ["replace, by nothing", dialect.replace("people", null, "load-1")],
  ["appendRejects", [dialect.appendRejects(dialect.staging("_kb4_stage_3"), "load-1")]],
  [
    "recordLoad",
    dialect.recordLoad(record, [
      { ...brought, proof, relation: staged.relation },
      { ...brought, stream: "pairs", proof: null, relation: null },
    ]),
  ],
  ["recordLoad, of the state alone", dialect.recordLoad(record, [])],
  ["readState", [asked("state", dialect.readState("it's"))]],
  ["readProofs", [asked("proofs", dialect.readProofs("it's"))]],
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
  ["readKeys", [asked("keys", dialect.readKeys(people))]],
  ["rewrite", [asked("all of it", dialect.rewrite(people))]],
];

test("says what the golden file says", async () => {
  const text = SCRIPT.map(
    ([title, statements]) => `-- ${title}\n\n${statements.map((s) => `${s.sql};\n`).join("")}`,
  ).join("\n");

  await expect(text).toMatchFileSnapshot("../../golden/loaders/bigquery.sql");
});

test("a commit is one script: all of it, or the fence ends it", async () => {
  const text = dialect.transaction([
    ...dialect.moveState({ ...move, from: 1 }),
    ...dialect.merge(merging),
    ...dialect.recordLoad(record, [{ ...brought, proof: null, relation: staged.relation }]),
  ]);

  await expect(text).toMatchFileSnapshot("../../golden/loaders/bigquery-commit.sql");
});

test("stages JSON as text, and what a load adds", () => {
  expect(dialect.stagingFields(people).map(({ name, type }) => `${name} ${type}`)).toEqual([
    ...["id INT64", "name STRING", "score FLOAT64", "is_active BOOL", "joined_at TIMESTAMP"],
    ...["birthday DATE", "jobs STRING", "_observed_at TIMESTAMP", "_kb4_extracted_at TIMESTAMP"],
    ...["_kb4_seq INT64", "_kb4_row_hash STRING"],
  ]);
});

test("knows its own types by the names that the catalogue gives them", () => {
  const { typeName, typeOf } = dialect;
  const types = ["string", "integer", "number", "boolean", "timestamp", "date", "json"] as const;

  expect(types.map((type) => typeOf(typeName(type)))).toEqual(types);
  expect(["STRING(10)", "NUMERIC", "DATETIME", "ARRAY<INT64>", ""].map(typeOf)).toEqual(
    Array(5).fill(undefined),
  );
});

test.each([
  ["stream", "a.b", { id: "integer" }],
  ["stream", "a`b", { id: "integer" }],
  ["column", "people", { "a.b": "integer" }],
  ["column", "people", { "a`b": "integer" }],
  ["column", "people", { _PARTITIONTIME: "integer" }],
  ["column", "people", { ["x".repeat(301)]: "integer" }],
] as const)("refuses a %s that BigQuery cannot have: %s %o", (_, name, types) => {
  const table: Table = tableOf(stream(name, types));

  expect(() => dialect.createTable(table)).toThrow("not a name that BigQuery can have");
});

test("a text ends no quotation", () => {
  const [made] = dialect.createTable({ ...people, description: "a'); DROP\\' \n\u0085 🦊" });

  expect(made!.sql).toContain(String.raw`description = 'a\'); DROP\\\' \n\u0085 🦊'`);
});
