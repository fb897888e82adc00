import type { ColumnType } from "../../src/core/fields.js";
import type { Dialect, Staged, Statement } from "../../src/loaders/dialect.js";
import { META, SEQUENCE, tableOf, type Table } from "../../src/loaders/table.js";
import { stream } from "./support.js";

/** A dialect, and how its staging tables come to be. */
export interface Teller {
  readonly dialect: Dialect;
  /** Name of a staging table, ready for SQL. */
  readonly relation: (name: string) => string;
  /** Whether nested values are staged as text. */
  readonly nestedAsText: boolean;
}

/** Rows of the fixture that a step stages, and with which columns. */
interface Stage {
  readonly relation: string;
  /** Name in `fixture.json`. */
  readonly rows: string;
  /** DuckDB's types, by column. */
  readonly columns: Readonly<Record<string, string>>;
}

/** A place where all dialects must have left the same tables. */
interface Compare {
  readonly compare: string;
}

/** A line of the script: something to run, rows to stage, or a place to compare. */
export type Step = Statement | Stage | Compare;

const DUCKDB: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  integer: "BIGINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  timestamp: "TIMESTAMPTZ",
  date: "DATE",
  json: "JSON",
};

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
const older: Table = { ...people, columns: people.columns.filter((c) => c.name !== "jobs") };
const pairs = tableOf(stream("pairs", { a: "integer", b: "string" }, { primaryKey: ["b", "a"] }));
const events = { ...tableOf(stream("events", { what: "string" })), primaryKey: [] };

const titles: Table = {
  ...tableOf(stream("titles", { id: "integer", name: "string", note: "json" })),
  hasHistory: true,
};
const plain: Table = { ...titles, columns: titles.columns.filter((c) => c.name !== "note") };

const AT = "2026-06-01T00:00:00.000Z";

/** Loads into three tables, each by another way, as a loader of that dialect would send them. */
function scenario({ dialect, relation, nestedAsText }: Teller): readonly Step[] {
  const stage = (table: Table, rows: string): [Stage, Staged] => {
    const columns = [...table.columns, META[1], SEQUENCE, META[2]].map(({ name, type }) => [
      name,
      type === "json" && nestedAsText ? "VARCHAR" : DUCKDB[type],
    ]);
    const where = relation(`stage_${rows}`);
    return [
      { relation: where, rows, columns: Object.fromEntries(columns) },
      { table, relation: where },
    ];
  };
  const commit = (from: number, work: (loadId: string) => readonly Step[]): readonly Step[] => {
    const loadId = `load-${String(from + 1)}`;
    const steps = work(loadId);
    const checkpoints = [
      { stream: "people", bookmark: { completedAt: AT, note: `it's "${String(from)}" \\ \n` } },
      { stream: "o'dd", bookmark: { completedAt: null } },
    ];
    const record = {
      loadId,
      runId: "run-1",
      pipeline: "it's",
      startedAt: AT,
      committedAt: AT,
      toolVersion: "1.2.3",
    };
    return [
      ...steps.filter((step) => "rows" in step),
      ...dialect.moveState({ pipeline: "it's", loadId, from, checkpoints, at: AT }),
      ...steps.filter((step) => "sql" in step),
      ...dialect.recordLoad(record, []),
      { compare: loadId },
    ];
  };
  const merge = (staged: Staged, loadId: string, skipsUnchanged: boolean) =>
    dialect.merge({ staged, loadId, skipsUnchanged, hasRepeats: true });
  const gone = ({ table, relation: from }: Staged) => ({
    table,
    relation: from,
    scopes: [{ kind: "rest", column: "name", listed: ["it's"] }] as const,
    at: AT,
  });
  const [first, firstStaged] = stage(older, "people_1");
  const [second, secondStaged] = stage(people, "people_2");
  const [back, backStaged] = stage(people, "people_3");
  const [two, twoStaged] = stage(pairs, "pairs_1");
  const [three, threeStaged] = stage(pairs, "pairs_2");
  const remember = (staged: Staged, loadId: string, skipsUnchanged: boolean) =>
    dialect.history.merge({ staged, loadId, skipsUnchanged, hasRepeats: true });
  const view = ({ columns }: Table) => {
    const ours = ["_kb4_load_id", "_kb4_extracted_at", "_kb4_row_hash", "_kb4_valid_from"];
    return dialect.history.makeView(titles, [...columns.map((c) => c.name), ...ours]);
  };
  const [hue, hueStaged] = stage(plain, "titles_1");
  const [shade, shadeStaged] = stage(titles, "titles_2");
  const [tint, tintStaged] = stage(titles, "titles_3");
  const [event, eventStaged] = stage(events, "events_1");
  const note = titles.columns.find((c) => c.name === "note");
  const jobs = people.columns.find((c) => c.name === "jobs");
  return [
    ...dialect.bookkeeping(),
    ...[older, pairs, events, plain].flatMap((table) => dialect.createTable(table)),
    ...view(plain),
    ...commit(0, (load) => [
      first,
      two,
      event,
      hue,
      ...remember(hueStaged, load, true),
      ...merge(firstStaged, load, true),
      ...dialect.replace("pairs", twoStaged, load),
      ...dialect.append(eventStaged, load),
    ]),
    ...(jobs === undefined ? [] : dialect.addColumn("people", jobs)),
    ...(note === undefined ? [] : dialect.addColumn("titles", note)),
    ...view(titles),
    ...commit(1, (load) => [
      second,
      three,
      shade,
      dialect.markVanished({
        table: titles,
        relation: shadeStaged.relation,
        scopes: [{ kind: "part", column: "id", value: 3 }],
        at: "2026-06-02T00:00:00.000Z",
      }),
      ...remember(shadeStaged, load, false),
      dialect.markVanished(gone(secondStaged)),
      ...merge(secondStaged, load, true),
      ...merge(threeStaged, load, false),
      ...dialect.append(eventStaged, load),
    ]),
    // Who had gone is there again, as before. The clock was set back.
    ...commit(2, (load) => [
      back,
      tint,
      ...remember(tintStaged, load, true),
      ...merge(backStaged, load, true),
      ...dialect.replace("pairs", null, load),
    ]),
  ];
}

/** The script as `test/peers/sql` reads it: statements, and comments where rows are staged. */
export function scenarioText(teller: Teller): string {
  return scenario(teller)
    .map((step) => {
      if ("sql" in step) return `${step.sql};\n`;
      return "rows" in step ? `-- stage ${JSON.stringify(step)}\n` : `-- compare ${step.compare}\n`;
    })
    .join("");
}
