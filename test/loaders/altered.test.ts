import { describe, expect, test } from "vitest";

import { RECOVERY } from "../../src/core/errors.js";
import { batch, checkpoint } from "../protocols/singer/support.js";
import { desk, failure, PEOPLE, stream, type Desk } from "./support.js";

/**
 * Tables that a person has changed so that rows do not fit: the commit is refused, nothing of it is
 * done, and once the change is undone the next run commits what was waiting.
 */

const ada = { id: 1, name: "Ada" };
const bob = { id: 2, name: "Bob" };
const teams = stream("teams", { id: "integer" });

interface Change {
  readonly what: string;
  readonly done: readonly string[];
  readonly undone: readonly string[];
  readonly message: string;
}

const CHANGES: readonly Change[] = [
  {
    what: "a view stands in its place",
    done: ["ALTER TABLE people RENAME TO people_old", "CREATE VIEW people AS FROM people_old"],
    undone: ["DROP VIEW people", "ALTER TABLE people_old RENAME TO people"],
    message: "people: a view stands where the table should be",
  },
  {
    what: "the loader's column was dropped",
    done: ["ALTER TABLE people DROP COLUMN _kb4_row_hash"],
    undone: ["ALTER TABLE people ADD COLUMN _kb4_row_hash VARCHAR"],
    message: "people: the loader's column _kb4_row_hash is missing",
  },
  {
    what: "the loader's column was renamed",
    done: ["ALTER TABLE people RENAME COLUMN _kb4_extracted_at TO seen"],
    undone: ["ALTER TABLE people RENAME COLUMN seen TO _kb4_extracted_at"],
    message: "people: the loader's column _kb4_extracted_at is missing",
  },
  {
    what: "the loader's column has another type",
    done: ["ALTER TABLE people ALTER COLUMN _kb4_load_id SET DATA TYPE BLOB"],
    undone: ["ALTER TABLE people ALTER COLUMN _kb4_load_id SET DATA TYPE VARCHAR"],
    message: "people._kb4_load_id: its type was changed to BLOB",
  },
  {
    what: "a column has a type that is not ours",
    done: ["ALTER TABLE people ALTER COLUMN id SET DATA TYPE SMALLINT"],
    undone: ["ALTER TABLE people ALTER COLUMN id SET DATA TYPE BIGINT"],
    message: "people.id: its type was changed to SMALLINT",
  },
  {
    what: "a column of somebody's own must be filled",
    done: [
      "ALTER TABLE people ADD COLUMN team VARCHAR DEFAULT 'x'",
      "ALTER TABLE people ALTER COLUMN team SET NOT NULL",
      "ALTER TABLE people ALTER COLUMN team DROP DEFAULT",
    ],
    undone: ["ALTER TABLE people ALTER COLUMN team DROP NOT NULL"],
    message: "people.team: it was made NOT NULL without a default",
  },
  {
    what: "a column that may be null was made NOT NULL",
    done: ["ALTER TABLE people ALTER COLUMN name SET NOT NULL"],
    undone: ["ALTER TABLE people ALTER COLUMN name DROP NOT NULL"],
    message: "people.name: it was made NOT NULL without a default",
  },
];

/** Everything that a commit could have changed. */
async function everything({ query }: Desk) {
  return {
    state: await query("FROM _kb4_state ORDER BY ALL"),
    loads: await query("FROM _kb4_loads ORDER BY ALL"),
    rejects: await query("FROM _kb4_rejects ORDER BY ALL"),
    teams: await query("SELECT id FROM teams ORDER BY id"),
  };
}

describe("when", () => {
  test.for(CHANGES)("$what, nothing is committed until it is undone", async (change) => {
    const given = await desk();
    await given.load(PEOPLE, [ada]);
    await given.load(teams, [{ id: 7 }]);
    const loader = await given.opened();
    await given.change(...change.done);
    const before = await everything(given);
    await loader.declare(teams);
    await loader.declare(PEOPLE);
    await loader.write(batch("teams", [{ id: 8 }], { checkpoint: checkpoint("teams", 9) }));
    const rejects = [{ reason: "no", raw: 1 }];
    await loader.write(batch("people", [bob], { rejects, checkpoint: checkpoint("people", 9) }));

    const error = await failure(loader.flush());
    await loader[Symbol.asyncDispose]();

    expect(error).toMatchObject({ kind: "destination", message: change.message });
    expect(RECOVERY[error.kind].exitCode).toBe(7);
    expect(error.hint).toBeDefined();
    expect(await everything(given)).toEqual(before);
    expect(await given.waiting()).toHaveLength(1);

    const early = given.loader();
    expect((await failure(early.prepare())).message).toBe(change.message);
    await early[Symbol.asyncDispose]();

    await given.change(...change.undone);
    const next = given.loader();
    await next.prepare();
    const state = await next.readState();

    expect(await given.query("SELECT id, name FROM people ORDER BY id")).toEqual([ada, bob]);
    expect(await given.query("SELECT id FROM teams ORDER BY id")).toEqual([{ id: 7 }, { id: 8 }]);
    expect(state.bookmarks["people"]).toEqual(checkpoint("people", 9).bookmark);
    expect(given.warnings()).toEqual(["committed 2 rows that an earlier run had left"]);
    expect(await given.waiting()).toEqual([]);
  });
});

test("a column that somebody dropped comes back", async () => {
  const { load, query, change } = await desk();
  await load(PEOPLE, [ada, bob]);
  await change("ALTER TABLE people DROP COLUMN name");

  await load(PEOPLE, [bob]);

  expect(await query("SELECT id, name FROM people ORDER BY id")).toEqual([
    { id: 1, name: null },
    bob,
  ]);
});

test("a column that somebody renamed comes back beside it", async () => {
  const { load, query, change } = await desk();
  await load(PEOPLE, [ada]);
  await change("ALTER TABLE people RENAME COLUMN name TO called");

  await load(PEOPLE, [ada]);

  expect(await query("SELECT id, name, called FROM people")).toEqual([{ ...ada, called: null }]);
});

test("a column of somebody's own is left alone", async () => {
  const { load, query, change } = await desk();
  await load(PEOPLE, [ada]);
  await change(
    "ALTER TABLE people ADD COLUMN team VARCHAR DEFAULT 'red'",
    "ALTER TABLE people ALTER COLUMN team SET NOT NULL",
  );

  await load(PEOPLE, [ada, bob]);

  expect(await query("SELECT id, team FROM people ORDER BY id")).toEqual([
    { id: 1, team: "red" },
    { id: 2, team: "red" },
  ]);
});

test("a table that somebody dropped is made again from what is read", async () => {
  const { load, query, change } = await desk();
  await load(PEOPLE, [ada, bob]);
  await change("DROP TABLE people");

  await load(PEOPLE, [bob]);

  expect(await query("SELECT id, name FROM people")).toEqual([bob]);
});

test("a view over a table goes on working", async () => {
  const { load, query, change } = await desk();
  await load(PEOPLE, [ada]);
  await change("CREATE VIEW names AS SELECT name FROM knowbe4.people");

  await load(stream("people", { id: "integer", name: "string", age: "integer" }), [
    { id: 2, name: "Bob", age: 40 },
  ]);

  expect(await query("FROM names ORDER BY name")).toEqual([{ name: "Ada" }, { name: "Bob" }]);
});

test("a widening that something stands in the way of is told with its table and column", async () => {
  const { load, change } = await desk();
  await load(PEOPLE, [ada]);
  await change("CREATE INDEX mine ON people (id)");

  const error = await failure(load(stream("people", { id: "string", name: "string" }), []));

  expect(error).toMatchObject({ kind: "destination" });
  expect(error.message).toContain("widening people.id failed: Catalog Error");
});

test("a fault never quotes a row", async () => {
  const { load, change } = await desk();
  await load(PEOPLE, [ada]);
  await change(
    "CREATE TABLE strict (id BIGINT NOT NULL CHECK (id < 5), _observed_at TIMESTAMPTZ, _kb4_load_id VARCHAR, _kb4_extracted_at TIMESTAMPTZ, _kb4_row_hash VARCHAR)",
  );

  const error = await failure(load(stream("strict", { id: "integer" }), [{ id: 4711 }]));

  expect(error).toMatchObject({ kind: "destination" });
  expect(error.message).toContain("writing into strict failed: Constraint Error");
  expect(error.message).not.toContain("4711");
});
