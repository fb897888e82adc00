import { describe, expect, test } from "vitest";

import type { Row } from "../../../src/core/record.js";
import { batch, checkpoint, ended } from "../../protocols/singer/support.js";
import { failure, PEOPLE, stream } from "../support.js";
import { desk, type Desk } from "./support.js";

/** How rows reach their table in Snowflake, and what it costs. */

const ada = { id: 1, name: "Ada" };
const bob = { id: 2, name: "Bob" };

const names = async ({ rows }: Desk): Promise<readonly Row[]> =>
  (await rows("people")).map(({ id, name }) => ({ id: id!, name: name! }));

/** Statements that name a table or what is staged for it, by their verbs. */
function verbs({ standin }: Desk, table: string): readonly string[] {
  const about = standin.statements.filter(
    ({ sql }) => sql.includes(`."${table}"`) || /_KB4_STAGE_|_KB4_FILES"\/1/.test(sql),
  );
  return about
    .filter(({ sql }) => !/INTO "KB4"."KNOWBE4"."_KB4_(STATE|LOADS)"/.test(sql))
    .map(({ sql }) => sql.replace(/^CREATE OR REPLACE (\w+) .*/s, "CREATE $1").split(" ")[0] ?? "");
}

describe("merge", () => {
  test("keeps the newest version of each row and rows that are not read again", async () => {
    const at = await desk();

    await at.load(PEOPLE, [ada, bob]);
    await at.load(PEOPLE, [
      { id: 2, name: "Robert" },
      { id: 3, name: "Cyd" },
    ]);

    expect(await names(at)).toEqual([ada, { id: 2, name: "Robert" }, { id: 3, name: "Cyd" }]);
  });

  test("leaves rows alone that have not changed, and counts those that have", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada, bob]);
    const [first] = await at.rows("people");

    await at.load(PEOPLE, [ada, { id: 2, name: "Robert" }]);

    const [same, other] = await at.rows("people");
    expect(same).toEqual(first);
    expect(other!["_kb4_load_id"]).not.toEqual(first!["_kb4_load_id"]);
    const loads = await at.rows("_kb4_loads");
    expect(loads.map((load) => [load["rows_staged"], load["rows_written"]])).toEqual([
      [2, 2],
      [2, 1],
    ]);
  });

  test("takes the last of several versions in one load", async () => {
    const at = await desk();

    await at.load(PEOPLE, [ada, { id: 1, name: "B" }, bob, { id: 1, name: "C" }]);

    expect(await names(at)).toEqual([{ id: 1, name: "C" }, bob]);
  });

  test("needs five statements for a table in which something changes", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada, bob]);
    at.standin.forget();

    await at.load(PEOPLE, [ada, { id: 2, name: "Robert" }]);

    expect(verbs(at, "PEOPLE")).toEqual(["CREATE", "PUT", "COPY", "SELECT", "MERGE"]);
  });

  test("changes nothing in a table in which nothing is new", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada, bob]);
    at.standin.forget();

    await at.load(PEOPLE, [bob, ada]);

    expect(verbs(at, "PEOPLE")).toEqual(["CREATE", "PUT", "COPY", "SELECT"]);
    expect((await at.rows("_kb4_loads")).at(-1)).toMatchObject({ rows_staged: 2, rows_written: 0 });
  });

  test("does not look at a table of which nothing was read", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada]);
    at.standin.forget();

    await at.load(PEOPLE, []);

    expect(verbs(at, "PEOPLE")).toEqual([]);
  });
});

describe("history", () => {
  const mode = "history" as const;

  test("needs five statements for a table in which something changes", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada, bob], { mode });
    at.standin.forget();

    await at.load(PEOPLE, [ada, { id: 2, name: "Robert" }], { mode });

    expect(verbs(at, "PEOPLE")).toEqual(["CREATE", "PUT", "COPY", "SELECT", "MERGE"]);
    expect(await at.rows("people")).toHaveLength(3);
    expect((await at.rows("_kb4_loads")).at(-1)).toMatchObject({ rows_staged: 2, rows_written: 1 });
  });

  test("changes nothing in a table in which nothing is new, and leaves its view alone", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada, bob], { mode });
    at.standin.forget();

    await at.load(PEOPLE, [bob, ada], { mode });

    expect(verbs(at, "PEOPLE")).toEqual(["CREATE", "PUT", "COPY", "SELECT"]);
    expect(at.standin.statements.filter(({ sql }) => sql.includes(" VIEW "))).toEqual([]);
  });

  test("makes the view that a run did not get to before it was cut off", async () => {
    const at = await desk();
    const trouble = {
      kind: "error",
      code: "000603",
      sqlState: "XX000",
      message: "it broke",
    } as const;
    at.standin.fault({ match: /CREATE OR REPLACE VIEW/, trouble, times: 1 });
    await failure(at.load(PEOPLE, [ada], { mode }));
    expect(await at.rows("people_current")).toEqual([]);

    await at.load(PEOPLE, [ada], { mode });

    expect(await at.rows("people_current")).toMatchObject([{ id: 1, name: "Ada" }]);
  });
});

test("appends every version", async () => {
  const at = await desk();

  await at.load(PEOPLE, [ada], { mode: "append" });
  await at.load(PEOPLE, [ada, bob], { mode: "append" });

  expect(await names(at)).toEqual([ada, ada, bob]);
});

describe("replace", () => {
  test("swaps the whole table", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada, bob], { mode: "replace" });

    await at.load(PEOPLE, [{ id: 3, name: "Cyd" }], { mode: "replace" });

    expect(await names(at)).toEqual([{ id: 3, name: "Cyd" }]);
  });

  test("empties the table of a stream that has no rows any more", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada], { mode: "replace" });

    await at.load(PEOPLE, [], { mode: "replace" });

    expect(await names(at)).toEqual([]);
  });

  test("leaves the table alone if the load does not get through", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada], { mode: "replace" });
    at.standin.fault({
      match: /INSERT INTO .*_KB4_LOADS/,
      trouble: { kind: "error", code: "000604", sqlState: "57014", message: "canceled" },
    });

    await failure(at.load(PEOPLE, [bob], { mode: "replace" }));

    expect(await names(at)).toEqual([ada]);
  });
});

test("keeps rejected rows with their reason", async () => {
  const at = await desk();
  const loader = await at.opened();
  await loader.declare(PEOPLE);

  await loader.write(
    batch("people", [ada], {
      checkpoint: checkpoint("people"),
      rejects: [{ reason: "id: expected a number", raw: { id: "x", tags: [null] } }],
    }),
  );
  await loader.end(ended("people"));
  await loader.flush();

  expect(await at.rows("_kb4_rejects")).toMatchObject([
    { stream: "people", reason: "id: expected a number", raw: { id: "x", tags: [null] } },
  ]);
});

test("says in each statement which load it belongs to", async () => {
  const at = await desk();

  await at.load(PEOPLE, [ada]);

  const [load] = await at.rows("_kb4_loads");
  const merge = at.standin.statements.find(({ sql }) =>
    sql.startsWith('MERGE INTO "KB4"."KNOWBE4"."PEOPLE"'),
  );
  expect(JSON.parse(merge!.tag)).toEqual({ app: "knowbe4-connector", load: load!["load_id"] });
});

test("leaves no session behind", async () => {
  const at = await desk();

  await at.load(PEOPLE, [ada]);

  expect(at.standin.sessions).toBe(0);
});

describe("a table that is there", () => {
  test("gets columns that are new, and rows that lack them are written again", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada, bob]);

    const wider = stream("people", { id: "integer", name: "string", age: "integer" });
    await at.load(wider, [{ ...ada, age: 36 }]);

    expect(await at.rows("people")).toMatchObject([
      { ...ada, age: 36 },
      { ...bob, age: null },
    ]);
  });

  test.for([
    ["integer", "number", 7, 1.5, [7, 1.5]],
    ["integer", "string", 7, "x", ["7", "x"]],
    ["boolean", "string", true, "x", ["true", "x"]],
    ["timestamp", "string", "2026-01-02T03:04:05.678Z", "x", ["2026-01-02T03:04:05.678Z", "x"]],
    [
      "date",
      "timestamp",
      "2026-01-02",
      "2026-01-02T03:04:05.000Z",
      ["2026-01-02T00:00:00.000Z", "2026-01-02T03:04:05.000Z"],
    ],
    ["json", "string", { a: 1 }, "x", ['{"a":1}', "x"]],
  ] as const)("gets wider types: %s to %s", async ([from, to, before, after, expected]) => {
    const at = await desk();
    await at.load(stream("things", { id: "integer", v: from }), [{ id: 1, v: before }]);

    await at.load(stream("things", { id: "integer", v: to }), [{ id: 2, v: after }]);

    expect(
      (await at.rows("things"))
        .toSorted((a, b) => Number(a["id"]) - Number(b["id"]))
        .map((row) => row["v"]),
    ).toEqual(expected);
  });

  test.for([1, 2, 3, 4])("survives a widening that is cut off at statement %d", async (step) => {
    const at = await desk();
    await at.load(stream("things", { id: "integer", v: "integer" }), [{ id: 1, v: 7 }]);
    const sign = [/ADD COLUMN/, /^\S+ UPDATE .*_KB4_WIDE_V/, /DROP COLUMN/, /RENAME COLUMN/][
      step - 1
    ]!;
    at.standin.fault({
      match: sign,
      trouble: { kind: "error", code: "000604", sqlState: "57014", message: "canceled" },
    });
    const wider = stream("things", { id: "integer", v: "string" });
    await failure(at.load(wider, [{ id: 2, v: "x" }]));
    at.standin.heal();

    await at.load(wider, []);

    expect(await at.rows("things")).toMatchObject([
      { id: 1, v: "7" },
      { id: 2, v: "x" },
    ]);
    expect(Object.keys((await at.rows("things"))[0]!)).not.toContain("_kb4_wide_v");
  });

  test.for([
    [
      "a view in its place",
      ["DROP TABLE PEOPLE", "CREATE VIEW PEOPLE AS SELECT 1 AS ID"],
      /people: a view stands where the table should be/,
    ],
    [
      "a type that is none of ours",
      ["ALTER TABLE PEOPLE DROP COLUMN NAME", "ALTER TABLE PEOPLE ADD COLUMN NAME NUMBER(10,2)"],
      /people.NAME: its type was changed to NUMBER\(10,2\)/,
    ],
    [
      "a text that was made short",
      ["ALTER TABLE PEOPLE DROP COLUMN NAME", "ALTER TABLE PEOPLE ADD COLUMN NAME VARCHAR(3)"],
      /people.NAME: its type was changed to VARCHAR\(3\)/,
    ],
    [
      "one of our columns gone",
      ["ALTER TABLE PEOPLE DROP COLUMN _KB4_ROW_HASH"],
      /people: the loader's column _kb4_row_hash is missing/,
    ],
    [
      "a column that must not be null",
      [
        "DELETE FROM PEOPLE",
        "ALTER TABLE PEOPLE ADD COLUMN TEAM VARCHAR",
        "ALTER TABLE PEOPLE ALTER COLUMN TEAM SET NOT NULL",
      ],
      /people.TEAM: it was made NOT NULL without a default/,
    ],
  ] as const)("is refused with %s", async ([, statements, message]) => {
    const at = await desk();
    await at.load(PEOPLE, [ada]);
    await at.change(...statements);
    const before = await at.rows("people");

    const error = await failure(at.load(PEOPLE, [bob]));

    expect(error.kind).toBe("destination");
    expect(error.message).toMatch(message);
    expect(error.hint).toBeTruthy();
    expect(await at.rows("people")).toEqual(before);
  });

  test("gets a column back that somebody dropped, with the rows that come", async () => {
    const at = await desk();
    await at.load(PEOPLE, [ada, bob]);
    await at.change("ALTER TABLE PEOPLE DROP COLUMN NAME");

    await at.load(PEOPLE, [ada, bob]);

    expect(await names(at)).toEqual([ada, bob]);
  });
});

test("refuses columns whose names are one in upper case", async () => {
  const at = await desk();

  const error = await failure(
    at.load(stream("people", { id: "integer", Name: "string", name: "string" }), []),
  );

  expect(error.kind).toBe("config");
  expect(error.message).toBe("people: columns Name and name differ only in case");
});

test("gives what was loaded back as the state", async () => {
  const at = await desk();
  await at.load(PEOPLE, [ada]);

  const state = await at.loader().readState();

  expect(state.bookmarks["people"]).toEqual(checkpoint("people").bookmark);
});

test("keeps off the rows of a pipeline that it must not mix with", async () => {
  const at = await desk();
  await at.load(PEOPLE, [ada], { pipeline: "demo" });

  const error = await failure(at.loader({ strangers: ["demo"] }).prepare());

  expect(error.message).toContain("holds rows of pipeline demo");
});

test("lets one of two runs commit that started from the same state", async () => {
  const at = await desk();
  await at.load(PEOPLE, [ada]);
  const slow = await at.opened();
  await slow.declare(PEOPLE);
  await slow.write(
    batch("people", [{ id: 1, name: "Slow" }], { checkpoint: checkpoint("people") }),
  );

  await at.load(PEOPLE, [bob], { spoolDir: `${at.spool}-2` });
  const error = await failure(slow.flush());

  expect(error.kind).toBe("locked");
  expect(await names(at)).toEqual([ada, bob]);
});
