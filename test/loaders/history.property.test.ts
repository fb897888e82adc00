import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import { stringify } from "../../src/core/json.js";
import type { Row, Scope } from "../../src/core/record.js";
import type { Statement } from "../../src/loaders/dialect.js";
import { duckDbDialect } from "../../src/loaders/duckdb/dialect.js";
import { tableOf, type Mode, type Table } from "../../src/loaders/table.js";
import type { Warehouse } from "../../src/loaders/warehouse.js";
import { day, read, type Reading } from "../conformance/history.js";
import { desk, stream, type Desk } from "./support.js";

/** One run: what it reads and when, and whether the plug is pulled at its commit. */
interface Step extends Pick<Reading, "at" | "rows"> {
  readonly scopes: readonly Scope[];
  readonly pulled: "before" | "after" | "never";
  /** Read twice: by a run and by the next one, as after a crash before its checkpoint. */
  readonly again: boolean;
}

const rows = fc.array(
  fc.record({ id: fc.integer({ min: 1, max: 3 }), name: fc.constantFrom("a", "b", null) }),
  { maxLength: 4 },
);

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    // Instants repeat and go back, as they do where a clock is set.
    at: fc.integer({ min: 1, max: 4 }).map(day),
    rows,
    scopes: fc.constantFrom<readonly Scope[]>(
      [],
      [{ kind: "whole" }],
      [{ kind: "part", column: "id", value: 2 }],
    ),
    pulled: fc.constantFrom(
      "never" as const,
      "never" as const,
      "before" as const,
      "after" as const,
    ),
    again: fc.boolean(),
  }),
  { minLength: 2, maxLength: 6 },
);

const PULLED = new ConnectorError("destination", "the plug was pulled");

/** A warehouse whose plug is pulled before or after a commit. */
function pluggable(pull: Step["pulled"]) {
  return (real: Warehouse): Warehouse => ({
    ...real,
    open: async (use) => {
      const session = await real.open(use);
      return {
        ...session,
        transact: async (statements, loadId) => {
          if (pull === "before") throw PULLED;
          await session.transact(statements, loadId);
          if (pull === "after") throw PULLED;
        },
      };
    },
  });
}

async function take(given: Desk, mode: Mode, step: Step): Promise<void> {
  for (const pulled of [step.pulled, ...(step.again ? (["never"] as const) : [])]) {
    given.clock.advance(60_000);
    const options = { mode, maxVanishedRatio: 1 };
    const loader = () => given.over(pluggable(pulled), options);
    const place = { loader, rows: () => Promise.resolve([]) };
    await read(place, { ...step, options }).catch((error: unknown) => {
      if (error !== PULLED) throw error;
    });
  }
}

/** As text; empty for null. */
const instant = (row: Row, column: string): string => {
  const value = row[column];
  return typeof value === "string" ? value : "";
};

/** What any history is, whatever came. */
async function expectHistory({ query }: Pick<Desk, "query">): Promise<void> {
  const versions = await query(
    `SELECT id, _kb4_row_hash AS hash, _kb4_valid_from AS since, _kb4_valid_to AS until,
    _kb4_deleted_at IS NOT NULL AS gone FROM people ORDER BY id, _kb4_valid_from`,
  );
  for (const [i, version] of versions.entries()) {
    const { id, hash, gone } = version;
    const [since, until] = [instant(version, "since"), instant(version, "until")];
    // None is empty. Instants of one length sort as text.
    if (until !== "") expect(since < until).toBe(true);
    const next = versions[i + 1];
    if (next === undefined || next["id"] !== id) continue;
    // Only the last one is open, and none begins before the one before has ended.
    expect(until).not.toBe("");
    if (gone === true) expect(until < instant(next, "since")).toBe(true);
    else {
      expect(instant(next, "since")).toBe(until);
      expect(next["hash"]).not.toBe(hash);
    }
  }
}

test("any runs leave versions that neither overlap nor repeat, and the last ones are what merge would hold", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const [history, merge] = [await desk(), await desk()];
      // A last run commits what a pulled plug has left, in both.
      const last: Step = { at: day(5), rows: [], scopes: [], pulled: "never", again: false };
      for (const step of [...script, last]) {
        await take(history, "history", step);
        await take(merge, "merge", step);
      }

      await expectHistory(history);
      const current = await history.query("SELECT id, name FROM people_current ORDER BY id");
      expect(current).toEqual(
        await merge.query("SELECT id, name FROM people WHERE _kb4_deleted_at IS NULL ORDER BY id"),
      );
      const count = "SELECT count(*)::INT AS n FROM people";
      const [before] = await history.query(count);
      await take(history, "history", { ...last, rows: current });
      expect(await history.query(count)).toEqual([before]);
    }),
    { numRuns: 4 },
  );
}, 240_000);

test("so does the SQL by itself, over many more", async () => {
  const dialect = duckDbDialect("knowbe4");
  const merged = { ...tableOf(stream("merged", TYPES)) };
  const kept: Table = { ...tableOf(stream("people", TYPES)), hasHistory: true };
  const connection = await connected();
  for (const table of [merged, kept]) await told(connection, dialect.createTable(table));

  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      for (const name of ["merged", "people"])
        await told(connection, dialect.replace(name, null, "x"));
      for (const [i, { at, rows: found, scopes }] of script.entries()) {
        for (const table of [merged, kept]) {
          await connection.run(staging(found, at));
          const staged = { table, relation: "_stage_1" };
          const vanishing = { table, relation: "_stage_1", scopes, at };
          const how = table === kept ? dialect.history : dialect;
          if (scopes.length > 0) await told(connection, [dialect.markVanished(vanishing)]);
          const merging = {
            staged,
            loadId: String(i),
            skipsUnchanged: i % 3 > 0,
            hasRepeats: true,
          };
          await told(connection, how.merge(merging));
        }
      }

      const ask = async (sql: string) =>
        (await connection.runAndReadAll(sql)).getRowObjectsJson() as readonly Row[];
      await expectHistory({ query: ask });
      expect(
        await ask("SELECT id, name FROM people WHERE _kb4_valid_to IS NULL ORDER BY id"),
      ).toEqual(await ask("SELECT id, name FROM merged WHERE _kb4_deleted_at IS NULL ORDER BY id"));
    }),
    { numRuns: 60 },
  );
}, 120_000);

const TYPES = { id: "integer", name: "string" } as const;

async function connected(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.closeSync();
    instance.closeSync();
  });
  for (const sql of [
    "SET TimeZone = 'UTC'",
    "ATTACH ':memory:' AS kb4",
    "CREATE SCHEMA kb4.knowbe4",
  ]) {
    await connection.run(sql);
  }
  await connection.run("USE kb4.knowbe4");
  return connection;
}

async function told(connection: DuckDBConnection, statements: readonly Statement[]): Promise<void> {
  for (const { sql } of statements) await connection.run(sql);
}

/** Rows of a run as a loader stages them. */
function staging(found: readonly Row[], at: string): string {
  const values = [...found, null].map((row, i) => {
    const { id = 0, name: given = null } = row ?? {};
    const name = typeof given === "string" ? `'${given}'` : "NULL";
    return `(${stringify(id)}, ${name}, TIMESTAMPTZ '${at}', TIMESTAMPTZ '${at}', ${String(i)}, 'h' || ${name === "NULL" ? "''" : name})`;
  });
  // A row more that is left out again: there may be none, and types come from values.
  return `CREATE OR REPLACE TEMPORARY TABLE _stage_1 AS FROM (VALUES ${values.join(", ")}) AS v(id, name, _observed_at, _kb4_extracted_at, _kb4_seq, _kb4_row_hash) WHERE id > 0`;
}
