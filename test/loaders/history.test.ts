import { describe, expect, test } from "vitest";

import type { Row } from "../../src/core/record.js";
import type { Warehouse } from "../../src/loaders/warehouse.js";
import { day, read, type Reading } from "../conformance/history.js";
import { batch, checkpoint } from "../protocols/singer/support.js";
import { desk, failure, PEOPLE, stream, type Desk } from "./support.js";

/** Versions of rows: what the suite of all warehouses does not tell (`test/conformance/history.ts`). */

const [ada, bob] = [
  { id: 1, name: "Ada" },
  { id: 2, name: "Bob" },
] as const;
const mode = "history" as const;

const run = ({ loader }: Desk, reading: Reading): Promise<void> =>
  read({ loader, rows: () => Promise.resolve([]) }, reading);

const spans = ({ query }: Desk): Promise<readonly Row[]> =>
  query(
    `SELECT id, name, strftime(_kb4_valid_from, '%d') AS since, strftime(_kb4_valid_to, '%d') AS until
    FROM people ORDER BY id, _kb4_valid_from`,
  );

describe("a column that is new", () => {
  const older = stream("people", { id: "integer", name: "string", age: "integer" });

  test("is filled in the version that holds, which is no new version", async () => {
    const given = await desk();
    const row = { id: 1, name: "Ada", age: 36 };
    await run(given, { of: older, at: day(1), rows: [row] });
    await given.change("DROP VIEW people_current", "ALTER TABLE people DROP COLUMN age");

    await run(given, { of: older, at: day(2), rows: [row] });

    expect(await spans(given)).toEqual([{ id: 1, name: "Ada", since: "01", until: null }]);
    expect(await given.query("SELECT age FROM people_current")).toEqual([{ age: 36 }]);
    const loads = await given.query("SELECT rows_written FROM _kb4_loads ORDER BY load_id");
    expect(loads).toEqual([{ rows_written: 1 }, { rows_written: 0 }]);
  });

  test("comes back to the view too if somebody dropped it from the table alone", async () => {
    const given = await desk();
    const row = { id: 1, name: "Ada", age: 36 };
    await run(given, { of: older, at: day(1), rows: [row] });
    await given.change("ALTER TABLE people DROP COLUMN age");

    await run(given, { of: older, at: day(2), rows: [row] });

    expect(await given.query("SELECT age FROM people_current")).toEqual([{ age: 36 }]);
  });

  test("stays in the view when it is not selected any more", async () => {
    const given = await desk();
    await run(given, { of: older, at: day(1), rows: [{ id: 1, name: "Ada", age: 36 }] });
    const other = stream("people", { id: "integer", name: "string", town: "string" });

    await run(given, { of: other, at: day(2), rows: [{ id: 2, name: "Bob", town: "Ulm" }] });

    expect(await given.query("SELECT id, age, town FROM people_current ORDER BY id")).toEqual([
      { id: 1, age: 36, town: null },
      { id: 2, age: null, town: "Ulm" },
    ]);
  });
});

describe("the view", () => {
  test("does not show columns of somebody's own, and outlives them", async () => {
    const given = await desk();
    await run(given, { at: day(1), rows: [ada] });
    await given.change("ALTER TABLE people ADD COLUMN note VARCHAR");
    const wider = stream("people", { id: "integer", name: "string", age: "integer" });

    await run(given, { of: wider, at: day(2), rows: [ada] });

    const [row] = await given.query("SELECT * FROM people_current");
    expect(Object.keys(row!)).toEqual(
      ["id", "name", "_observed_at", "age"].concat(
        ...["load_id", "extracted_at", "row_hash", "valid_from"].map((name) => `_kb4_${name}`),
      ),
    );
  });

  test.for([
    ["a table", "CREATE TABLE people_current (id INT)"],
    ["another view", "CREATE VIEW people_current AS SELECT 1 AS id"],
  ] as const)("does not take the place of %s", async ([what, statement]) => {
    const given = await desk();
    await given.change(statement);
    const before = await given.query("FROM people_current");

    const error = await failure(run(given, { at: day(1), rows: [ada] }));

    expect(error.message).toBe(`people: ${what} stands where its view people_current should be`);
    expect(error.hint).toContain("rename people_current");
    expect(await given.query("FROM people_current")).toEqual(before);
  });

  test("is no name for a stream beside it", async () => {
    const given = await desk();
    const loader = await given.opened({ mode });
    await loader.declare(PEOPLE);

    const error = await failure(loader.declare(stream("People_Current", { id: "integer" })));

    expect(error.kind).toBe("config");
    expect(error.message).toBe("stream People_Current is named like the view of people");
  });
});

test("a table of another mode is refused before anything is read", async () => {
  const given = await desk();
  await given.load(PEOPLE, [ada]);
  const loader = await given.opened({ mode });

  const error = await failure(loader.declare(PEOPLE));

  expect(error.message).toContain("the table was made without history");
});

test("a version begins when it was observed, or else when it arrived", async () => {
  const given = await desk();
  const loader = await given.opened({ mode });
  const other = stream("people", { id: "integer", name: "string" });
  const plain = { ...other, columns: other.columns.filter((c) => c.name !== "_observed_at") };
  await loader.declare(plain);
  const extractedAt = "2026-06-07T08:00:00.000Z";

  const more = { checkpoint: checkpoint("people"), extractedAt, observedAt: null };
  await loader.write(batch("people", [ada], more));
  await loader.flush();

  expect(await given.query("SELECT _kb4_valid_from AS since FROM people")).toEqual([
    { since: extractedAt },
  ]);
});

test("what was sealed before a crash holds from when it was observed, not from when it was committed", async () => {
  const given = await desk();
  await run(given, { at: day(1), rows: [ada, bob], scopes: [{ kind: "whole" }] });
  const broken = (real: Warehouse): Warehouse => ({
    ...real,
    open: async (access) => {
      const session = await real.open(access);
      return { ...session, transact: () => Promise.reject(new Error("the cable")) };
    },
  });
  const cut = { ...given, loader: () => given.over(broken, { mode, maxVanishedRatio: 1 }) };
  const reading = {
    at: day(2),
    rows: [{ id: 1, name: "Eve" }],
    scopes: [{ kind: "whole" }],
  } as const;
  await expect(run(cut, reading)).rejects.toThrow("the cable");
  expect(await spans(given)).toHaveLength(2);

  await run(given, { at: day(3), rows: [] });

  expect(await spans(given)).toEqual([
    { id: 1, name: "Ada", since: "01", until: "02" },
    { id: 1, name: "Eve", since: "02", until: null },
    { id: 2, name: "Bob", since: "01", until: "02" },
  ]);
});
