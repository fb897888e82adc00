import type { ColumnType } from "../../../src/core/fields.js";
import type { Statement } from "../../../src/loaders/dialect.js";
import { snowflakeDialect } from "../../../src/loaders/snowflake/dialect.js";
import { tableOf, type Table } from "../../../src/loaders/table.js";
import { stream } from "../support.js";

/** Statements about one thing. */
export type Section = readonly [title: string, statements: readonly Statement[]];

export const AT = "2026-06-01T00:00:00.000Z";

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
  ...tableOf(stream(`o\\'dd "t"; --`, { [`k"1`]: "string", "k'2": "integer", "Ünï 🦊": "string" })),
  primaryKey: [`k"1`, "k'2"],
};

const REJECTS: Table = {
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

const asked = (purpose: string, sql: string | null): Statement => ({ purpose, sql: sql ?? "" });

/**
 * Everything that the dialect can say, in an order in which it can be run.
 *
 * @param spool folder of the files, with forward slashes.
 */
export function script(spool: string): readonly Section[] {
  const dialect = snowflakeDialect("KB4", "KNOWBE4");
  const staged = { table: people, relation: dialect.staging("_kb4_stage_1") };
  const oddStaged = { table: odd, relation: dialect.staging("_kb4_stage_2") };
  const rejects = { table: REJECTS, relation: dialect.staging("_kb4_stage_3") };
  const checkpoints = [
    { stream: "people", bookmark: { completedAt: AT } },
    { stream: "o'dd\\", bookmark: { completedAt: null, cursor: "2026-01-01" } },
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
  const proof = '{"came":2,"ends":"it\'s empty"}';
  const merge = { staged, loadId: "load-1", skipsUnchanged: true, hasRepeats: false };
  return [
    ["settings", [dialect.settings({ statementSeconds: 900 })]],
    ["bookkeeping", dialect.bookkeeping()],
    ["describe", [asked("describe", dialect.describe())]],
    ["createTable", dialect.createTable(people)],
    ["createTable, odd names", dialect.createTable(odd)],
    [
      "createTable, without a comment of its own",
      dialect.createTable({ ...odd, name: "plain", description: "" }),
    ],
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
      const wide = tableOf(stream(`${from}_${to}`, { id: "integer" }));
      return [
        `widenColumn, ${from} to ${to}`,
        [
          ...dialect.createTable({ ...wide, columns: [column] }),
          ...dialect.widenColumn(wide.name, column.name, from, to),
        ],
      ];
    }),
    [
      "spare, of a widening that was cut off",
      [
        ...dialect.addColumn("people", { name: "_kb4_wide_zip", type: "string", description: "" }),
        ...(dialect.spare?.take("people", "zip") ?? []),
      ],
    ],
    ["createFiles", [dialect.createFiles()]],
    [
      "put",
      ["people", "odd", "rejects"].map((name) =>
        dialect.put(`${spool}/${name}'s 1.ndjson.gz`, name),
      ),
    ],
    ["createStaging", [staged, oddStaged, rejects].map(dialect.createStaging)],
    [
      "copy",
      [
        dialect.copy(staged, "people"),
        dialect.copy(oddStaged, "odd"),
        dialect.copy(rejects, "rejects"),
      ],
    ],
    ["moveState, first", dialect.moveState({ ...move, from: 0 })],
    ["moveState, later", dialect.moveState({ ...move, from: 1 })],
    ["moveState, without a bookmark", dialect.moveState({ ...move, from: 2, checkpoints: [] })],
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
    ["history, countChanges", [asked("changes", dialect.history.countChanges(keeping))]],
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
    ["countChanges", [asked("changes", dialect.countChanges(merge))]],
    ["merge", dialect.merge(merge)],
    [
      "merge, columns that are new",
      dialect.merge({ ...merge, staged: oddStaged, skipsUnchanged: false, hasRepeats: true }),
    ],
    ["append", dialect.append(staged, "load-1")],
    ["replace", dialect.replace("people", staged, "load-1")],
    ["replace, by nothing", dialect.replace(odd.name, null, "load-1")],
    ["appendRejects", [dialect.appendRejects(rejects.relation, "load-1")]],
    [
      "recordLoad",
      dialect.recordLoad(record, [
        { ...brought, proof, relation: staged.relation },
        { ...brought, stream: "o'dd", proof: null, relation: null },
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
  ];
}
