import { describe, expect, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import { batch, checkpoint, ended } from "../protocols/singer/support.js";
import { desk, failure, PEOPLE, stream } from "./support.js";

/** How rows reach their table in each mode. */

const ada = { id: 1, name: "Ada" };
const bob = { id: 2, name: "Bob" };

const NAMES = "SELECT id, name FROM people ORDER BY id, name";
const VERSIONS = "SELECT id, name, _kb4_load_id AS load FROM people ORDER BY id, name";

describe("merge", () => {
  test("keeps the newest version of each row and rows that are not read again", async () => {
    const { load, query } = await desk();

    await load(PEOPLE, [ada, bob]);
    await load(PEOPLE, [
      { id: 2, name: "Robert" },
      { id: 3, name: "Cyd" },
    ]);

    expect(await query(NAMES)).toEqual([ada, { id: 2, name: "Robert" }, { id: 3, name: "Cyd" }]);
  });

  test("leaves rows alone that have not changed", async () => {
    const { load, query } = await desk();
    await load(PEOPLE, [ada, bob]);
    const [first] = await query(VERSIONS);

    await load(PEOPLE, [ada, { id: 2, name: "Robert" }]);

    const [same, other] = await query(VERSIONS);
    expect(same).toEqual(first);
    expect(other!["load"]).not.toEqual(first!["load"]);
    expect(
      await query("SELECT rows_staged, rows_written FROM _kb4_loads ORDER BY load_id"),
    ).toEqual([
      { rows_staged: 2, rows_written: 2 },
      { rows_staged: 2, rows_written: 1 },
    ]);
  });

  test("writes when each version arrived, and keeps when an unchanged row did", async () => {
    const { load, query, clock } = await desk();
    await load(PEOPLE, [ada, bob]);
    const before = new Date(clock.now()).toISOString();
    await load(PEOPLE, [ada, { id: 2, name: "Robert" }]);
    const after = new Date(clock.now()).toISOString();

    const arrived = await query("SELECT _kb4_extracted_at AS at FROM people ORDER BY id");

    expect(arrived).toEqual([{ at: before }, { at: after }]);
  });

  test("takes the last of several versions, in one batch and over several", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);

    await loader.write(batch("people", [ada, { id: 1, name: "B" }, bob, { id: 1, name: "C" }]));
    await loader.write(
      batch("people", [{ id: 2, name: "B2" }, ada], { checkpoint: checkpoint("people") }),
    );
    await loader.flush();

    expect(await query(NAMES)).toEqual([ada, { id: 2, name: "B2" }]);
  });

  test("takes back a version that came earlier in the same load as the one that is there", async () => {
    const { load, query } = await desk();
    await load(PEOPLE, [ada]);

    await load(PEOPLE, [{ id: 1, name: "Eve" }, ada]);

    expect(await query(NAMES)).toEqual([ada]);
  });

  test.for(["last", "s", "t", "n", "found", "max", "rowid", "order", "load"])(
    "takes a key named %s",
    async (key) => {
      const { load, query } = await desk();
      const declared = stream("people", { [key]: "integer", name: "string" });
      const [first, second] = [1, 900_000];

      await load(declared, [{ [key]: second, name: "old" }]);
      await load(declared, [
        { [key]: first, name: "a" },
        { [key]: second, name: "a" },
        { [key]: first, name: "b" },
        { [key]: second, name: "b" },
      ]);

      expect(await query(`SELECT "${key}" AS id, name FROM people ORDER BY 1`)).toEqual([
        { id: first, name: "b" },
        { id: second, name: "b" },
      ]);
    },
  );

  test("tells rows apart by all columns of their key", async () => {
    const { load, query } = await desk();
    const members = stream(
      "members",
      { team: "integer", person: "string", role: "string" },
      { primaryKey: ["team", "person"] },
    );

    await load(members, [
      { team: 1, person: "a", role: "x" },
      { team: 1, person: "b", role: "x" },
      { team: 2, person: "a", role: "x" },
    ]);
    await load(members, [{ team: 1, person: "a", role: "y" }]);

    expect(await query("SELECT team, person, role FROM members ORDER BY ALL")).toEqual([
      { team: 1, person: "a", role: "y" },
      { team: 1, person: "b", role: "x" },
      { team: 2, person: "a", role: "x" },
    ]);
  });

  test("appends rows of a stream that has no key", async () => {
    const { load, query } = await desk();
    const lines = stream("people", { id: "integer", name: "string" }, { primaryKey: [] });

    await load(lines, [ada, ada]);
    await load(lines, [ada]);

    expect(await query(NAMES)).toEqual([ada, ada, ada]);
    expect(await query("SELECT DISTINCT mode FROM _kb4_loads")).toEqual([{ mode: "append" }]);
  });
});

describe("append", () => {
  test("keeps every version, unchanged ones too", async () => {
    const { load, query } = await desk();
    const mode = "append" as const;

    await load(PEOPLE, [ada, ada], { mode });
    await load(PEOPLE, [ada, { id: 1, name: "Eve" }], { mode });

    expect(await query(NAMES)).toEqual([ada, ada, ada, { id: 1, name: "Eve" }]);
    const loads = await query("SELECT mode, rows_staged, rows_written FROM _kb4_loads");
    expect(loads).toEqual(Array(2).fill({ mode, rows_staged: 2, rows_written: 2 }));
  });

  test("is not followed by merge, which would leave every version", async () => {
    const { load, loader, query } = await desk();
    await load(PEOPLE, [ada], { mode: "append" });
    await using merging = loader();
    await merging.prepare();

    const error = await failure(merging.declare(PEOPLE));

    expect(error.kind).toBe("destination");
    expect(error.message).toMatch(
      /^people: the table was loaded in mode append and may have a row/,
    );
    expect(error.hint).toMatch(/set destination.mode to append or replace, .*--full-refresh/);
    expect(await query(NAMES)).toEqual([ada]);
  });

  test("is followed by merge once the table has been replaced, or renamed", async () => {
    const { load, query, change } = await desk();
    await load(PEOPLE, [ada, ada], { mode: "append" });

    await load(PEOPLE, [ada], { mode: "replace" });
    await load(PEOPLE, [bob]);
    await load(PEOPLE, [ada], { mode: "append" });
    await change("ALTER TABLE people RENAME TO all_of_them");
    await load(PEOPLE, [ada]);
    await load(PEOPLE, [ada]);

    expect(await query(NAMES)).toEqual([ada]);
  });
});

describe("replace", () => {
  const mode = "replace" as const;
  const failed = {
    ...ended("people"),
    status: "failed" as const,
    error: new ConnectorError("unavailable", "people: gone"),
  };
  const BOOKMARKS = "SELECT stream, state FROM _kb4_state WHERE stream <> ''";

  test("drops what is not read again", async () => {
    const { load, query } = await desk();

    await load(PEOPLE, [ada, bob], { mode });
    await load(PEOPLE, [bob], { mode });

    expect(await query(NAMES)).toEqual([bob]);
  });

  test("empties a table whose stream has become empty", async () => {
    const { load, query } = await desk();
    await load(PEOPLE, [ada], { mode });

    const told = await load(PEOPLE, [], { mode });

    expect(told).toEqual([checkpoint("people")]);
    expect(await query(NAMES)).toEqual([]);
  });

  test("holds checkpoints until the stream has ended", async () => {
    const { opened, query, load } = await desk();
    await load(PEOPLE, [ada], { mode });
    const loader = await opened({ mode, commitBytes: 1 });
    await loader.declare(PEOPLE);

    const early = [
      ...(await loader.write(batch("people", [bob], { checkpoint: checkpoint("people", 1) }))),
      ...(await loader.flush()),
      ...(await loader.write(batch("people", [], { checkpoint: checkpoint("people", 2) }))),
    ];
    const before = await query(NAMES);
    const late = [...(await loader.end(ended("people"))), ...(await loader.flush())];

    expect(early).toEqual([]);
    expect(before).toEqual([ada]);
    expect(late).toEqual([checkpoint("people", 1), checkpoint("people", 2)]);
    expect(await query(NAMES)).toEqual([bob]);
  });

  test("carries a stream over the commits of others", async () => {
    const { opened, query } = await desk();
    const teams = stream("teams", { id: "integer" });
    const loader = await opened({ mode });
    await loader.declare(PEOPLE);
    await loader.declare(teams);

    await loader.write(batch("people", [ada], { checkpoint: checkpoint("people", 1) }));
    await loader.write(batch("teams", [{ id: 7 }], { checkpoint: checkpoint("teams") }));
    await loader.end(ended("teams"));
    const teamsOnly = await loader.flush();
    await loader.write(batch("people", [bob], { checkpoint: checkpoint("people", 2) }));
    await loader.end(ended("people"));
    const rest = await loader.flush();

    expect(teamsOnly).toEqual([checkpoint("teams")]);
    expect(rest).toEqual([checkpoint("people", 1), checkpoint("people", 2)]);
    expect(await query(NAMES)).toEqual([ada, bob]);
  });

  test.for(["failed", "skipped"] as const)(
    "leaves table and state as they were when the stream has %s",
    async (status) => {
      const { load, opened, query } = await desk();
      await load(PEOPLE, [ada], { mode });
      const state = await query(BOOKMARKS);
      const loader = await opened({ mode });
      await loader.declare(PEOPLE);
      await loader.write(batch("people", [bob], { checkpoint: checkpoint("people", 9) }));

      const told = [...(await loader.end({ ...failed, status })), ...(await loader.flush())];

      expect(told).toEqual([]);
      expect(await query(NAMES)).toEqual([ada]);
      expect(await query(BOOKMARKS)).toEqual(state);
    },
  );

  test("leaves a table as it was when the run breaks off", async () => {
    const { load, opened, query } = await desk();
    await load(PEOPLE, [ada], { mode });
    const loader = await opened({ mode });
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [bob], { checkpoint: checkpoint("people", 9) }));

    const told = await loader.flush();
    await loader[Symbol.asyncDispose]();

    expect(told).toEqual([]);
    expect(await query(NAMES)).toEqual([ada]);
  });

  test("merges a stream of which a run brings only a part", async () => {
    const { load, query } = await desk();
    await load(PEOPLE, [ada, bob], { mode });

    await load({ ...PEOPLE, whole: false }, [{ id: 2, name: "Robert" }], { mode });

    expect(await query(NAMES)).toEqual([ada, { id: 2, name: "Robert" }]);
    const modes = await query("SELECT mode FROM _kb4_loads ORDER BY load_id");
    expect(modes).toEqual([{ mode: "replace" }, { mode: "merge" }]);
  });
});
