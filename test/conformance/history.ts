import { describe, expect, test } from "vitest";

import { stringify, type Json } from "../../src/core/json.js";
import type { SinkStream } from "../../src/core/ports.js";
import type { Row, Scope } from "../../src/core/record.js";
import { EMPTY_STATE } from "../../src/core/state.js";
import type { Loader, LoaderOptions } from "../../src/loaders/loader.js";
import { failure, stream } from "../loaders/support.js";
import { batch, checkpoint, ended, running } from "../protocols/singer/support.js";
import { people } from "./place.js";

/** A warehouse that loaders fill. */
interface HistoryPlace {
  loader(options: Partial<LoaderOptions>): Loader;
  /** All rows of a table or a view with all their columns. */
  rows(relation: string): Promise<readonly Row[]>;
}

/** What a run reads, and when. */
export interface Reading {
  readonly of?: SinkStream;
  /** ISO 8601 UTC: start of the run. */
  readonly at: string;
  readonly rows: readonly Row[];
  readonly scopes?: readonly Scope[];
  readonly options?: Partial<LoaderOptions>;
}

const WHOLE: readonly Scope[] = [{ kind: "whole" }];

/** The start of a day. */
export const day = (n: number): string => `2026-06-${String(n).padStart(2, "0")}T00:00:00.000Z`;

/** An instant some milliseconds later. */
const after = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString();

/** One run of its own. */
export async function read({ loader }: HistoryPlace, reading: Reading): Promise<void> {
  const { of = people, at, rows, scopes = [], options = {} } = reading;
  await using made = loader({ mode: "history", maxVanishedRatio: 1, ...options });
  await made.open({ runId: `run-${at}`, startedAt: at, state: EMPTY_STATE }, running());
  await made.declare(of);
  const [extractedAt, observedAt] = [after(at, 1000), at];
  const more = { checkpoint: checkpoint(of.name), scopes, extractedAt, observedAt };
  await made.write(batch(of.name, rows, more));
  await made.end(ended(of.name));
  await made.flush();
}

/** A value for people: a text without quotes, null as nothing. */
const text = (value: Json): string =>
  typeof value === "string" ? value : value === null ? "" : stringify(value);

/** Versions of a table as `id name from..to`, days as they are and other instants to the millisecond. */
async function versions(place: HistoryPlace, table = "people"): Promise<readonly string[]> {
  const short = (at: Json) => text(at).replace("T00:00:00.000Z", "");
  const lines = (await place.rows(table)).map((row) => {
    const at = (column: string): Json => row[column] ?? null;
    const [id, name, gone] = [at("id"), at("name"), at("_kb4_deleted_at")];
    const [from, to] = [at("_kb4_valid_from"), at("_kb4_valid_to")];
    const mark = gone === null ? "" : ` gone ${short(gone)}`;
    return `${text(id)} ${text(name)} ${short(from)}..${short(to)}${mark}`;
  });
  return lines.map((line) => line.replaceAll("2026-06-", "")).toSorted();
}

const [ada, bob, cyd] = [
  { id: 1, name: "Ada" },
  { id: 2, name: "Bob" },
  { id: 3, name: "Cyd" },
] as const;
const named = (name: string): Row => ({ id: 1, name });

/**
 * What a loader promises in mode history, for any warehouse.
 *
 * @param makePlace called once in each test.
 */
export function describeHistory(
  name: string,
  makePlace: () => Promise<HistoryPlace>,
  nature: { readonly isThere?: boolean; readonly timeout?: number } = {},
): void {
  const { isThere = true, timeout = 20_000 } = nature;
  describe.skipIf(!isThere)(`${name}, history`, { timeout }, () => {
    test("a difference ends a version and begins one, at the same instant", async () => {
      const place = await makePlace();

      await read(place, { at: day(1), rows: [ada, bob] });
      await read(place, { at: day(2), rows: [named("Eve"), bob, cyd] });

      expect(await versions(place)).toEqual([
        "1 Ada 01..02",
        "1 Eve 02..",
        "2 Bob 01..",
        "3 Cyd 02..",
      ]);
    });

    test("rows that have not changed begin none, and nothing of them is written", async () => {
      const place = await makePlace();
      await read(place, { at: day(1), rows: [ada, bob] });
      const before = await place.rows("people");

      await read(place, { at: day(2), rows: [ada, bob] });

      expect(await place.rows("people")).toEqual(before);
      const loads = await place.rows("_kb4_loads");
      expect(loads.map((load) => [load["mode"], load["rows_written"]]).toSorted()).toEqual([
        ["history", 0],
        ["history", 2],
      ]);
    });

    test("what was before may be again, as a version of its own", async () => {
      const place = await makePlace();

      for (const [i, called] of ["Ada", "Eve", "Ada"].entries()) {
        await read(place, { at: day(i + 1), rows: [named(called)] });
      }

      expect(await versions(place)).toEqual(["1 Ada 01..02", "1 Ada 03..", "1 Eve 02..03"]);
    });

    test("of several versions of a row within one load the last one counts", async () => {
      const place = await makePlace();
      await read(place, { at: day(1), rows: [ada] });

      await read(place, { at: day(2), rows: [named("B"), named("C"), bob] });
      await read(place, { at: day(3), rows: [named("D"), named("C")] });

      expect(await versions(place)).toEqual(["1 Ada 01..02", "1 C 02..", "2 Bob 02.."]);
    });

    test.for([
      ["the same instant", day(2)],
      ["an earlier one, by a clock that was set back", day(1)],
    ] as const)("a version observed at %s follows the one that is there", async ([, at]) => {
      const place = await makePlace();
      await read(place, { at: day(2), rows: [ada] });

      await read(place, { at, rows: [named("B")] });
      await read(place, { at, rows: [named("C")] });
      await read(place, { at: day(3), rows: [named("D")] });

      expect(await versions(place)).toEqual([
        "1 Ada 02..02T00:00:00.001Z",
        "1 B 02T00:00:00.001Z..02T00:00:00.002Z",
        "1 C 02T00:00:00.002Z..03",
        "1 D 03..",
      ]);
    });

    test("a row that has gone ends, and one that returns begins again, changed or not", async () => {
      const place = await makePlace();
      await read(place, { at: day(1), rows: [ada, bob, cyd], scopes: WHOLE });

      await read(place, { at: day(2), rows: [cyd], scopes: WHOLE });
      await read(place, { at: day(3), rows: [cyd], scopes: WHOLE });
      await read(place, { at: day(4), rows: [ada, { id: 2, name: "Robert" }, cyd], scopes: WHOLE });

      expect(await versions(place)).toEqual([
        "1 Ada 01..02 gone 02",
        "1 Ada 04..",
        "2 Bob 01..02 gone 02",
        "2 Robert 04..",
        "3 Cyd 01..",
      ]);
    });

    test("a row may go and return at one instant: it was gone for a moment", async () => {
      const place = await makePlace();
      await read(place, { at: day(2), rows: [ada, bob], scopes: WHOLE });

      await read(place, { at: day(2), rows: [bob], scopes: WHOLE });
      await read(place, { at: day(1), rows: [ada, bob], scopes: WHOLE });

      expect(await versions(place)).toEqual([
        "1 Ada 02..02T00:00:00.001Z gone 02",
        "1 Ada 02T00:00:00.002Z..",
        "2 Bob 02..",
      ]);
    });

    test("more than may go ends nothing", async () => {
      const place = await makePlace();
      await read(place, { at: day(1), rows: [ada, bob, cyd], scopes: WHOLE });
      await read(place, { at: day(2), rows: [named("Eve"), bob, cyd], scopes: WHOLE });

      // Two of three rows, of four versions.
      const options = { maxVanishedRatio: 0.5 };
      await read(place, { at: day(3), rows: [named("Eve")], scopes: WHOLE, options });

      expect(await versions(place)).toEqual([
        "1 Ada 01..02",
        "1 Eve 02..",
        "2 Bob 01..",
        "3 Cyd 01..",
      ]);
    });

    test("the view has the versions that hold, and each column that is added", async () => {
      const place = await makePlace();
      await read(place, { at: day(1), rows: [ada, bob], scopes: WHOLE });
      await read(place, { at: day(2), rows: [named("Eve"), cyd], scopes: WHOLE });
      const before = await place.rows("people_current");
      const older = stream("people", { id: "integer", name: "string", age: "integer" });

      await read(place, { at: day(3), of: older, rows: [{ id: 3, name: "Cyd", age: 40 }] });

      const shown = (rows: readonly Row[], ...columns: readonly string[]) =>
        rows.map((row) => columns.map((column) => row[column])).toSorted();
      expect(shown(before, "id", "name", "_kb4_valid_from")).toEqual([
        [1, "Eve", day(2)],
        [3, "Cyd", day(2)],
      ]);
      const current = await place.rows("people_current");
      expect(shown(current, "id", "age")).toEqual([
        [1, null],
        [3, 40],
      ]);
      expect(await versions(place)).toContain("3 Cyd 02..03");
    });

    test("a column that has become wider is so in the view", async () => {
      const place = await makePlace();
      const of = stream("people", { id: "integer", name: "integer" });
      await read(place, { at: day(1), of, rows: [{ id: 1, name: 7 }] });

      await read(place, { at: day(2), rows: [{ id: 2, name: "Bob" }] });

      const current = await place.rows("people_current");
      expect(current.map(({ name }) => name).toSorted()).toEqual(["7", "Bob"]);
    });

    test("rows are told apart by all columns of their key, and keep nested values", async () => {
      const place = await makePlace();
      const types = { team: "integer", person: "string", role: "json" } as const;
      const of = stream("members", types, { primaryKey: ["team", "person"] });
      const rows = [
        { team: 1, person: "a", role: { is: ["x"] } },
        { team: 1, person: "b", role: null },
        { team: 2, person: "a", role: { is: ["x"] } },
      ];
      await read(place, { of, at: day(1), rows });

      await read(place, { of, at: day(2), rows: [{ team: 1, person: "a", role: { is: ["y"] } }] });

      const held = (await place.rows("members_current")).map(({ team, person, role }) =>
        JSON.stringify([team, person, role]),
      );
      expect(held.toSorted()).toEqual([
        '[1,"a",{"is":["y"]}]',
        '[1,"b",null]',
        '[2,"a",{"is":["x"]}]',
      ]);
      expect(await place.rows("members")).toHaveLength(4);
    });

    test("rows of a stream without a key are appended, and have no view", async () => {
      const place = await makePlace();
      const of = stream("people", { id: "integer", name: "string" }, { primaryKey: [] });

      await read(place, { of, at: day(1), rows: [ada] });
      await read(place, { of, at: day(2), rows: [ada] });

      const left = await place.rows("people");
      expect(left).toHaveLength(2);
      expect(left[0]).not.toHaveProperty("_kb4_valid_from");
      expect(await place.rows("_kb4_loads")).toMatchObject([
        { mode: "append" },
        { mode: "append" },
      ]);
    });

    test.for([
      ["merge", "history", "people: the table was made without history"],
      ["history", "merge", "people: the table keeps history, and this load would not"],
      ["append", "merge", "people: the table was loaded in mode append and may have a row several"],
    ] as const)("a table of mode %s is not loaded in mode %s", async ([first, then, message]) => {
      const place = await makePlace();
      await read(place, { at: day(1), rows: [ada], options: { mode: first } });
      const before = await place.rows("people");

      const reading = { at: day(2), rows: [bob], options: { mode: then } };
      const error = await failure(read(place, reading));

      expect(error.kind).toBe("destination");
      expect(error.message).toContain(message);
      expect(error.hint).toContain("load into another place");
      expect(await place.rows("people")).toEqual(before);
    });
  });
}
