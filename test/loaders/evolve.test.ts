import { describe, expect, test } from "vitest";

import type { ColumnType } from "../../src/core/fields.js";
import type { Json } from "../../src/core/json.js";
import { joined, tableOf, wider } from "../../src/loaders/table.js";
import { batch, checkpoint } from "../protocols/singer/support.js";
import { desk, failure, PEOPLE, stream } from "./support.js";

/** Tables grow with their streams: columns are added, types widened, nothing is taken away. */

const ada = { id: 1, name: "Ada" };
const TYPES = "SELECT column_name AS name, data_type AS type FROM duckdb_columns()";

describe("a column that is new", () => {
  const older = stream("people", { id: "integer", name: "string", age: "integer" });

  test("is added, with its comment, and null in rows that are not read again", async () => {
    const { load, query } = await desk();
    await load(PEOPLE, [ada, { id: 2, name: "Bob" }]);

    await load(older, [{ id: 2, name: "Bob", age: 40 }]);

    expect(await query("SELECT id, name, age FROM people ORDER BY id")).toEqual([
      { id: 1, name: "Ada", age: null },
      { id: 2, name: "Bob", age: 40 },
    ]);
    expect(await query("SELECT comment FROM duckdb_columns() WHERE column_name = 'age'")).toEqual([
      { comment: "The age." },
    ]);
  });

  test("is filled in rows that are as they were", async () => {
    const { load, query, change } = await desk();
    const row = { id: 1, name: "Ada", age: 36 };
    await load(older, [row]);
    await change("ALTER TABLE people DROP COLUMN age");

    await load(older, [row]);

    expect(await query("SELECT id, name, age FROM people")).toEqual([row]);
  });

  test("is added to a table that is replaced or appended to", async () => {
    for (const mode of ["replace", "append"] as const) {
      const { load, query } = await desk();
      await load(PEOPLE, [ada], { mode });

      await load(older, [{ id: 2, name: "Bob", age: 40 }], { mode });

      expect(await query("SELECT age FROM people WHERE id = 2")).toEqual([{ age: 40 }]);
    }
  });

  test("may come in the middle of a load", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [ada]));

    await loader.declare(older);
    await loader.write(
      batch("people", [{ id: 2, name: "Bob", age: 40 }], { checkpoint: checkpoint("people") }),
    );
    await loader.flush();

    expect(await query("SELECT id, age FROM people ORDER BY id")).toEqual([
      { id: 1, age: null },
      { id: 2, age: 40 },
    ]);
  });
});

test("keeps a column that its stream no longer has", async () => {
  const { load, query } = await desk();
  await load(PEOPLE, [ada, { id: 2, name: "Bob" }]);

  await load(stream("people", { id: "integer" }), [{ id: 2 }]);

  expect(await query("SELECT id, name FROM people ORDER BY id")).toEqual([
    ada,
    { id: 2, name: null },
  ]);
});

test("takes a column again that came back in another case", async () => {
  const { load, query } = await desk();
  await load(PEOPLE, [ada]);

  await load(stream("people", { ID: "integer", Name: "string" }), [{ ID: 1, Name: "Eve" }]);

  expect(await query("FROM people SELECT id, name")).toEqual([{ id: 1, name: "Eve" }]);
});

/** From, to, the type that holds both; a value as it was, as it becomes, and one that is new. */
const WIDENINGS: readonly (readonly [ColumnType, ColumnType, ColumnType, Json, Json, Json])[] = [
  ["integer", "number", "number", 5, 5, 1.5],
  ["integer", "string", "string", 2n ** 62n, "4611686018427387904", "x"],
  ["number", "string", "string", 1.5, "1.5", "x"],
  ["boolean", "string", "string", true, "true", "x"],
  [
    "date",
    "timestamp",
    "timestamp",
    "2024-02-29",
    "2024-02-29T00:00:00.000Z",
    "2024-03-01T01:02:03.004Z",
  ],
  ["date", "string", "string", "2024-02-29", "2024-02-29", "x"],
  ["timestamp", "string", "string", "2024-02-29T23:59:59.007Z", "2024-02-29T23:59:59.007Z", "x"],
  ["json", "string", "string", { a: [1, "🦊"] }, '{"a":[1,"🦊"]}', "x"],
  ["json", "string", "string", "plain", "plain", "x"],
  // Neither holds the other.
  ["integer", "boolean", "string", 5, "5", true],
  ["number", "timestamp", "string", 0.5, "0.5", "2024-03-01T01:02:03.004Z"],
  ["date", "json", "string", "2024-02-29", "2024-02-29", { a: 1 }],
];

const asText = (value: Json): Json =>
  typeof value === "object" ? JSON.stringify(value) : String(value);

describe("a column that becomes", () => {
  test.for(WIDENINGS)(
    "%s, then %s holds both as %s",
    async ([from, to, both, value, after, added]) => {
      const { load, query } = await desk();
      await load(stream("t", { id: "integer", v: from }), [
        { id: 1, v: value },
        { id: 2, v: null },
      ]);

      await load(stream("t", { id: "integer", v: to }), [{ id: 3, v: added }]);

      const isText = both === "string";
      expect(await query("SELECT v FROM t ORDER BY id")).toEqual([
        { v: after },
        { v: null },
        { v: isText ? asText(added) : added },
      ]);
    },
  );

  test.for(WIDENINGS)(
    "%s after it was %s never becomes narrower",
    async ([to, from, , value, , first]) => {
      const { load, query } = await desk();
      await load(stream("t", { id: "integer", v: from }), [{ id: 1, v: first }]);
      const before = await query(`${TYPES} WHERE table_name = 't' AND column_name = 'v'`);

      await load(stream("t", { id: "integer", v: to }), [{ id: 2, v: value }]);

      const [left, right] = await query("SELECT v FROM t ORDER BY id");
      const after = await query(`${TYPES} WHERE table_name = 't' AND column_name = 'v'`);
      const isTextNow = after[0]!["type"] === "VARCHAR";
      expect(left).toEqual({ v: isTextNow ? asText(first) : first });
      expect(right!["v"]).not.toBeNull();
      if (!isTextNow) expect(after).toEqual(before);
    },
  );

  test("wider in the middle of a load keeps what was spooled before", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.declare(stream("t", { id: "integer", v: "integer", w: "date" }));
    await loader.write(batch("t", [{ id: 1, v: 2n ** 60n, w: "2024-02-29" }]));

    await loader.declare(stream("t", { id: "integer", v: "string", w: "timestamp" }));
    const done = checkpoint("t");
    await loader.write(batch("t", [{ id: 2, v: "x", w: null }], { checkpoint: done }));
    await loader.flush();

    expect(await query("SELECT id, v, w FROM t ORDER BY id")).toEqual([
      { id: 1, v: "1152921504606846976", w: "2024-02-29T00:00:00.000Z" },
      { id: 2, v: "x", w: null },
    ]);
  });

  test("wider as a key still finds its rows", async () => {
    const { load, query } = await desk();
    await load(stream("t", { id: "integer", v: "string" }), [{ id: 1, v: "a" }]);

    await load(stream("t", { id: "string", v: "string" }), [{ id: "1", v: "b" }]);

    expect(await query("SELECT id, v FROM t")).toEqual([{ id: "1", v: "b" }]);
  });
});

test("knows of every two types one that holds both, whichever comes first", () => {
  const all = ["string", "integer", "number", "boolean", "timestamp", "date", "json"] as const;
  for (const a of all) {
    expect(wider(a, a)).toBe(a);
    for (const b of all) {
      const both = wider(a, b);
      expect(wider(b, a)).toBe(both);
      expect(wider(both, a)).toBe(both);
      expect(wider(both, b)).toBe(both);
    }
  }
});

test("joins two shapes of a table: every column of both, the wider type, the time of observation last", () => {
  const before = tableOf(stream("t", { id: "integer", a: "integer", old: "string" }));
  const after = tableOf(stream("t", { id: "integer", a: "number", new: "string" }));

  const both = joined(before, after);

  expect(both.columns.map((c) => [c.name, c.type])).toEqual([
    ["id", "integer"],
    ["a", "number"],
    ["old", "string"],
    ["new", "string"],
    ["_observed_at", "timestamp"],
  ]);
});

describe("names", () => {
  const given = (name: string, column = "v") => stream(name, { id: "integer", [column]: "string" });

  test.for([
    [given("_kb4_state"), 'stream "_kb4_state": names that start with _kb4_ are the loader\'s'],
    [given("_KB4_x"), 'stream "_KB4_x": names that start with _kb4_ are the loader\'s'],
    [given("t", "_kb4_seq"), "t._kb4_seq: names that start with _kb4_ are the loader's"],
    [given("t", "ID"), "t: columns id and ID differ only in case"],
    [given(""), 'stream "": not a name that a table can have'],
    [given("t", ""), "t.: not a name that a table can have"],
    [given("a\u0000b"), 'stream "ab": not a name that a table can have'],
    [given("t", "x\ud800"), "t.x\ufffd: not a name that a table can have"],
  ] as const)(
    "are refused when they cannot be told apart or written: %#",
    async ([declared, message]) => {
      const { opened } = await desk();
      const loader = await opened();

      const error = await failure(loader.declare(declared));

      expect(error).toMatchObject({ kind: "config", message });
      expect(error.hint).toBeDefined();
    },
  );

  test("of two streams may not differ in case alone", async () => {
    const { opened } = await desk();
    const loader = await opened();
    await loader.declare(given("People"));

    const error = await failure(loader.declare(given("people")));

    expect(error).toMatchObject({
      kind: "config",
      message: "streams People and people differ only in case",
    });
  });

  test("may be followed by any description", async () => {
    const { load, query } = await desk();
    const text = "It's \u0000\"--; \u2028🦊\ud800";

    await load(stream("t", { id: "integer" }, { description: text }), [{ id: 1 }]);

    expect(await query("SELECT comment FROM duckdb_tables() WHERE table_name = 't'")).toEqual([
      { comment: "It's \"--; \u2028🦊\ufffd" },
    ]);
  });
});
