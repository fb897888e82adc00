import { describe, expect, test } from "vitest";

import type { ColumnType } from "../../src/core/fields.js";
import type { Json } from "../../src/core/json.js";
import { joined, tableOf, wider } from "../../src/loaders/table.js";
import { batch, checkpoint } from "../protocols/singer/support.js";
import { desk, PEOPLE, stream } from "./support.js";

/** Tables grow with their streams: columns are added, types widened, nothing is taken away. */

const ada = { id: 1, name: "Ada" };

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

  test("is filled by later commits of the run too", async () => {
    const { load, opened, query, change } = await desk();
    const rows = [1, 2].map((id) => ({ id, name: "Ada", age: 36 }));
    await load(older, rows);
    await change("ALTER TABLE people DROP COLUMN age");
    const loader = await opened();
    await loader.declare(older);

    for (const row of rows) {
      await loader.write(batch("people", [row], { checkpoint: checkpoint("people") }));
      await loader.flush();
    }

    expect(await query("SELECT age FROM people")).toEqual([{ age: 36 }, { age: 36 }]);
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

interface Widening {
  readonly from: ColumnType;
  readonly to: ColumnType;
  /** The type that holds both. */
  readonly both: ColumnType;
  /** A value of the first, and what becomes of it. */
  readonly old: Json;
  readonly kept: Json;
  /** A value of the second. */
  readonly added: Json;
}

const INSTANT = "2024-02-29T23:59:59.007Z";
const LIST = { a: [1, "🦊"] };

const WIDENINGS: readonly Widening[] = [
  { from: "integer", to: "number", both: "number", old: 5, kept: 5, added: 1.5 },
  {
    from: "integer",
    to: "string",
    both: "string",
    old: 2n ** 62n,
    kept: String(2n ** 62n),
    added: "x",
  },
  { from: "number", to: "string", both: "string", old: 1.5, kept: "1.5", added: "x" },
  { from: "boolean", to: "string", both: "string", old: true, kept: "true", added: "x" },
  {
    from: "date",
    to: "timestamp",
    both: "timestamp",
    old: "2024-02-29",
    kept: "2024-02-29T00:00:00.000Z",
    added: INSTANT,
  },
  { from: "date", to: "string", both: "string", old: "2024-02-29", kept: "2024-02-29", added: "x" },
  { from: "timestamp", to: "string", both: "string", old: INSTANT, kept: INSTANT, added: "x" },
  { from: "json", to: "string", both: "string", old: LIST, kept: JSON.stringify(LIST), added: "x" },
  { from: "json", to: "string", both: "string", old: "plain", kept: "plain", added: "x" },
  // Neither holds the other.
  { from: "integer", to: "boolean", both: "string", old: 5, kept: "5", added: true },
  { from: "number", to: "timestamp", both: "string", old: 0.5, kept: "0.5", added: INSTANT },
  { from: "date", to: "json", both: "string", old: "2024-02-29", kept: "2024-02-29", added: LIST },
];

const asText = (value: Json): Json =>
  typeof value === "object" ? JSON.stringify(value) : String(value);

/** Something about each of the widenings, under the name of its column. */
const each = <T>(of: (widening: Widening) => T): Record<string, T> =>
  Object.fromEntries(WIDENINGS.map((w, i) => [`${w.from}_${w.to}_${String(i)}`, of(w)]));
const wide = (of: (widening: Widening) => ColumnType) =>
  stream("t", { id: "integer", ...each(of) });

const VALUES =
  "SELECT * EXCLUDE (id, _observed_at, _kb4_load_id, _kb4_extracted_at, _kb4_row_hash, _kb4_deleted_at) FROM t ORDER BY id";
const TYPES = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 't'";

describe("a column that becomes", () => {
  test("wider holds the old values and the new", async () => {
    const { load, query } = await desk();
    await load(
      wide((w) => w.from),
      [
        { id: 1, ...each((w) => w.old) },
        { id: 2, ...each(() => null) },
      ],
    );

    await load(
      wide((w) => w.to),
      [{ id: 3, ...each((w) => w.added) }],
    );

    expect(await query(VALUES)).toEqual([
      each((w) => w.kept),
      each(() => null),
      each((w) => (w.both === "string" ? asText(w.added) : w.added)),
    ]);
  });

  test("narrower stays as wide as it was", async () => {
    const { load, query } = await desk();
    await load(
      wide((w) => w.both),
      [{ id: 1, ...each((w) => w.kept) }],
    );
    const before = await query(TYPES);

    await load(
      wide((w) => w.from),
      [{ id: 2, ...each((w) => w.old) }],
    );

    expect(await query(TYPES)).toEqual(before);
    expect(await query(VALUES)).toEqual([each((w) => w.kept), each((w) => w.kept)]);
  });

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
