import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Row } from "../../src/core/record.js";
import { batch, checkpoint } from "../protocols/singer/support.js";
import { desk, failure, stream } from "./support.js";

/** Names of streams and columns: kept to the letter, or refused when they are declared. */

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

const name = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom(
    "people",
    "People",
    `"`,
    `'`,
    `a"b'c`,
    "a.b",
    "a b",
    " ",
    "select",
    "order",
    "main",
    "kb4",
    "knowbe4",
    "_stage_1",
    "%s",
    "$1",
    "--",
    "/*",
    "\n",
    "\\",
    "{",
    "İ",
    "ß",
    "\u0000",
    "🦊",
    "x".repeat(300),
    "_kb4_seq",
    "rowid",
    "filename",
  ),
);

test("any names come back as they were, or are refused by name", async () => {
  const columns = fc.uniqueArray(name, { minLength: 1, maxLength: 4 });
  const streams = fc.uniqueArray(fc.tuple(name, columns), {
    minLength: 1,
    maxLength: 3,
    selector: ([stream]) => stream,
  });

  await fc.assert(
    fc.asyncProperty(streams, async (given) => {
      const { opened, query } = await desk();
      const loader = await opened();
      const taken: { name: string; row: Row }[] = [];
      for (const [stream_, [key = "", ...others]] of given) {
        const types = { [key]: "integer" as const };
        const declared = stream(stream_, {
          ...types,
          ...Object.fromEntries(others.map((column) => [column, "string" as const])),
        });
        try {
          await loader.declare({ ...declared, primaryKey: [key] });
        } catch (error) {
          expect(error).toMatchObject({ kind: "config" });
          continue;
        }
        const row = {
          ...Object.fromEntries(others.map((column) => [column, `of ${column}`])),
          [key]: 7,
        };
        taken.push({ name: stream_, row });
        // Twice, so that a row meets another version of itself.
        const done = checkpoint(stream_);
        await loader.write(batch(stream_, [{ ...row, [key]: 7 }, row]));
        await loader.write(batch(stream_, [row], { checkpoint: done }));
      }
      await loader.flush();

      for (const { name: table, row } of taken) {
        const found = await query(
          `SELECT * EXCLUDE (_observed_at, _kb4_load_id, _kb4_extracted_at, _kb4_row_hash, _kb4_deleted_at) FROM knowbe4."${table.replaceAll('"', '""')}"`,
        );
        expect(found).toEqual([row]);
      }
    }),
    { numRuns: 12 },
  );
}, 60_000);
