import { describe, expect, test } from "vitest";

import { SOURCE_KEY } from "../../src/core/state.js";
import { batch, checkpoint, ended, runInfo, running } from "../protocols/singer/support.js";
import { desk, failure, PEOPLE, stream } from "./support.js";

/** What the loader writes down about itself: state, loads, rejected rows, comments. */

const ada = { id: 1, name: "Ada" };
const AT = "2026-06-01T00:00:00.000Z";

describe("_kb4_state", () => {
  test("holds a bookmark per stream and the version of the state", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    const memory = { stream: SOURCE_KEY, bookmark: { completedAt: null, paging: "page" as const } };

    await loader.write(batch("people", [ada], { checkpoint: checkpoint("people", 1) }));
    await loader.write(batch(SOURCE_KEY, [], { checkpoint: memory }));
    await loader.flush();
    await loader.write(batch("people", [], { checkpoint: checkpoint("people", 2) }));
    await loader.flush();

    const state = "SELECT * EXCLUDE (load_id, updated_at) FROM _kb4_state ORDER BY stream";
    const pipeline = "knowbe4";
    expect(await query(state)).toEqual([
      { pipeline, stream: "", version: 2, state: null },
      { pipeline, stream: SOURCE_KEY, version: 1, state: memory.bookmark },
      { pipeline, stream: "people", version: 2, state: checkpoint("people", 2).bookmark },
    ]);
  });

  test("is what the next run starts from", async () => {
    const { load, loader } = await desk();
    await load(PEOPLE, [ada]);

    const state = await loader().readState();

    expect(state).toEqual({ version: 1, bookmarks: { people: checkpoint("people").bookmark } });
  });

  test("is empty where nothing was ever loaded", async () => {
    const { loader, change } = await desk();
    const early = loader();
    const exists = await early.exists();
    await change("CREATE TABLE main.mine (a INT)");

    expect(exists).toBe(false);
    expect(await early.exists()).toBe(true);
    expect(await early.readState()).toEqual({ version: 1, bookmarks: {} });
  });

  test("is kept for each pipeline apart", async () => {
    const { load, loader, query } = await desk();
    await load(PEOPLE, [ada]);
    await load(stream("teams", { id: "integer" }), [{ id: 7 }], { pipeline: "other" });

    const mine = await loader().readState();
    const other = await loader({ pipeline: "other" }).readState();

    expect(Object.keys(mine.bookmarks)).toEqual(["people"]);
    expect(Object.keys(other.bookmarks)).toEqual(["teams"]);
    expect(await query("SELECT version FROM _kb4_state WHERE stream = ''")).toEqual([
      { version: 1 },
      { version: 1 },
    ]);
  });

  test("is refused if it is not one that can be understood", async () => {
    const { load, loader, change } = await desk();
    await load(PEOPLE, [ada]);
    await change(`UPDATE _kb4_state SET state = '{"completedAt": 5}' WHERE stream = 'people'`);

    const reading = await failure(loader().readState());
    const preparing = await failure(loader().prepare());

    expect(reading).toMatchObject({ kind: "state" });
    expect(reading.message).toContain(
      "_kb4_state of pipeline knowbe4: bookmarks.people.completedAt",
    );
    expect(preparing).toMatchObject({ kind: "state" });
  });
});

describe("_kb4_loads", () => {
  test("says of each load and table what it brought", async () => {
    const { opened, query, clock } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    await loader.declare(stream("teams", { id: "integer" }));
    const rejects = [{ reason: "id: missing", raw: { a: 1 } }];
    await loader.write(batch("people", [ada, ada], { rejects, checkpoint: checkpoint("people") }));
    await loader.write(batch("teams", [], { checkpoint: checkpoint("teams") }));
    clock.advance(1_000);
    await loader.flush();

    const loads = await query("SELECT * FROM _kb4_loads ORDER BY stream");

    const common = {
      load_id: expect.stringMatching(/^[0-9a-z]{19}$/),
      run_id: "run-1",
      pipeline: "knowbe4",
      mode: "merge",
      started_at: AT,
      committed_at: "2026-06-01T00:00:01.000Z",
      tool_version: "0.0.0-test",
      proof: null,
    };
    expect(loads).toEqual([
      { ...common, stream: "people", rows_staged: 2, rows_written: 1, rows_rejected: 1 },
      { ...common, stream: "teams", rows_staged: 0, rows_written: 0, rows_rejected: 0 },
    ]);
    expect(await query("SELECT DISTINCT _kb4_load_id AS load_id FROM people")).toEqual([
      { load_id: loads[0]!["load_id"] },
    ]);
  });

  test("names loads so that they sort in the order of their commits", async () => {
    const { opened, query, clock, load } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    for (const id of [1, 2, 3]) {
      await loader.write(
        batch("people", [{ id, name: "x" }], { checkpoint: checkpoint("people") }),
      );
      await loader.flush();
    }
    await loader[Symbol.asyncDispose]();
    clock.advance(1);
    await load(PEOPLE, [{ id: 4, name: "x" }]);

    expect(await query("SELECT id FROM people ORDER BY _kb4_load_id")).toEqual(
      [1, 2, 3, 4].map((id) => ({ id })),
    );
  });

  test("has a line for a load that only moved the state", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.write(
      batch(SOURCE_KEY, [], {
        checkpoint: { stream: SOURCE_KEY, bookmark: { completedAt: null } },
      }),
    );

    await loader.flush();

    expect(await query("SELECT stream, mode, rows_staged FROM _kb4_loads")).toEqual([
      { stream: "", mode: "state", rows_staged: 0 },
    ]);
  });

  test("has none for a run that brought nothing", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);

    const told = [...(await loader.end(ended("people"))), ...(await loader.flush())];

    expect(told).toEqual([]);
    expect(await query("FROM _kb4_loads")).toEqual([]);
  });
});

describe("_kb4_rejects", () => {
  const rejects = [
    { reason: "id: missing", raw: { name: "🦊\u2028\u0000", long: 2n ** 60n, list: [null] } },
    { reason: "not an object", raw: "text" },
  ];

  test("holds rejected rows as they came, and why", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [ada], { rejects, checkpoint: checkpoint("people") }));

    await loader.flush();

    const found = await query("SELECT stream, reason, raw, seen_at FROM _kb4_rejects ORDER BY ALL");
    const seen_at = "2026-06-01T00:00:01.000Z";
    expect(found).toEqual(rejects.map((reject) => ({ stream: "people", ...reject, seen_at })));
    expect(
      await query(
        "SELECT DISTINCT r.load_id = l.load_id AS same FROM _kb4_rejects r, _kb4_loads l",
      ),
    ).toEqual([{ same: true }]);
  });

  test("holds them too when their stream has failed for them", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [ada], { rejects }));

    const told = [
      ...(await loader.end({ ...ended("people"), status: "failed" })),
      ...(await loader.flush()),
    ];

    expect(told).toEqual([]);
    expect(await query("SELECT count(*)::INT AS n FROM _kb4_rejects")).toEqual([{ n: 2 }]);
    expect(await query("SELECT stream, mode, rows_staged, rows_rejected FROM _kb4_loads")).toEqual([
      { stream: "people", mode: "rejects", rows_staged: 0, rows_rejected: 2 },
    ]);
  });
});

describe("the catalogue", () => {
  test("describes tables and columns, the loader's too", async () => {
    const { load, query } = await desk();
    const described = stream(
      "people",
      { id: "integer", name: "string" },
      { description: "It's us." },
    );
    await load(described, [ada]);

    const tables = await query(
      "SELECT table_name, comment FROM duckdb_tables() ORDER BY table_name",
    );
    const columns = await query(
      "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'people' ORDER BY column_index",
    );

    expect(tables).toEqual([
      { table_name: "_kb4_loads", comment: expect.stringContaining("One row per load") },
      { table_name: "_kb4_rejects", comment: expect.stringContaining("May hold personal data") },
      { table_name: "_kb4_state", comment: expect.stringContaining("How far each stream") },
      { table_name: "people", comment: "It's us." },
    ]);
    expect(columns.map((c) => c["column_name"])).toEqual([
      "id",
      "name",
      "_observed_at",
      "_kb4_load_id",
      "_kb4_extracted_at",
      "_kb4_row_hash",
      "_kb4_deleted_at",
    ]);
    expect(columns.every((c) => c["comment"] !== null)).toBe(true);
    expect(columns[0]).toEqual({ column_name: "id", comment: "The id." });
  });

  test("has a table for a stream without rows", async () => {
    const { load, query } = await desk();

    await load(PEOPLE, []);

    expect(await query("FROM people")).toEqual([]);
  });

  test("has no keys and no indexes, which would hinder its columns from changing", async () => {
    const { load, query } = await desk();
    await load(PEOPLE, [ada]);

    const found = await query(
      "SELECT constraint_type FROM duckdb_constraints() WHERE constraint_type <> 'NOT NULL' UNION ALL SELECT index_name FROM duckdb_indexes()",
    );

    expect(found).toEqual([]);
  });
});

test("tells each commit with its rows", async () => {
  const { load, events } = await desk();

  await load(PEOPLE, [ada, { id: 2, name: "Bob" }]);

  expect(events).toEqual([{ type: "committed", rows: 2 }]);
});

test("refuses to mix with a stranger's rows, before anything is read", async () => {
  const { load, loader, query } = await desk();
  await load(PEOPLE, [ada], { pipeline: "demo" });
  const mixing = loader({ strangers: ["demo"] });

  const error = await failure(mixing.prepare());

  expect(error).toMatchObject({ kind: "config" });
  expect(error.message).toContain("holds rows of pipeline demo");
  expect(error.hint).toContain("destination.schema");
  await mixing[Symbol.asyncDispose]();
  const apart = loader({ strangers: ["demo"], schema: "apart" });
  await apart.open(runInfo(), running());
  expect(await query("SELECT count(*)::INT AS n FROM people")).toEqual([{ n: 1 }]);
});
