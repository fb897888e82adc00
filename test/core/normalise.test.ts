import { expect, test } from "vitest";

import { columnsOf } from "../../src/core/columns.js";
import type { Json } from "../../src/core/json.js";
import { itemKeyOf, normaliser, picker, rowShape } from "../../src/core/normalise.js";
import { prune } from "../../src/core/plan.js";
import type { StreamDef } from "../../src/core/stream.js";
import { run } from "../support/run.js";
import { enrolments, members, people, results } from "../support/streams.js";

/** From an item of the API to a row of the stream, or to a reject. */

function normalise(item: unknown, def: StreamDef = people, without: readonly string[] = []) {
  const drift: string[] = [];
  const columns = prune(columnsOf(def), new Set(without), new Set(def.primaryKey));
  const into = {
    rows: [] as Record<string, Json>[],
    rejects: [] as { reason: string; raw: Json }[],
  };
  normaliser(rowShape(def, columns), (field) => drift.push(field))(item, { exam_id: 9 }, into);
  const [row] = into.rows;
  const [reject] = into.rejects;
  return { ...into, row: row ?? {}, reject, drift };
}

test("a field is read under its alias only where its own name gives nothing", () => {
  const read = (item: object) => normalise({ id: 1, ...item }).row["managed"];

  expect(read({ adi_managed: true })).toBe(true);
  expect(read({ managed: null, adi_managed: true })).toBe(true);
  expect(read({ managed: false, adi_managed: true })).toBe(false);
  expect(read({ directory: { managed: true } })).toBe(true);
  expect(read({ adi_managed: false, directory: { managed: true } })).toBe(false);
  expect(read({ directory: "none" })).toBeNull();
  expect(read({ directory: [] })).toBeNull();
});

test("an alias is not an undeclared field, even where it is not needed", () => {
  const { row, drift } = normalise({ id: 1, name: "Ada", "full-name": "Ada L.", directory: {} });

  expect(row["_extra"]).toBeNull();
  expect(drift).toEqual([]);
});

test("an undeclared field is kept in _extra, as it came", () => {
  const { row, drift } = normalise({ id: 1, tags: ["a"], more: { deep: [1, null] }, zero: 0 });

  expect(row["_extra"]).toEqual({ tags: ["a"], more: { deep: [1, null] }, zero: 0 });
  expect(drift).toEqual(["tags", "more", "zero"]);
});

test("undeclared fields that are named like our own columns are kept too", () => {
  const { row } = normalise({ id: 1, _extra: "theirs", _observed_at: "theirs" });

  expect(row["_extra"]).toEqual({ _extra: "theirs", _observed_at: "theirs" });
  expect(row).not.toHaveProperty("_observed_at");
});

test("an undeclared field is reported once per stream, however many rows have it", async () => {
  const ran = await run({
    streams: ["people", "exams"],
    script: {
      "/v1/people": [
        [
          { id: 1, odd: 1 },
          { id: 2, odd: 2 },
        ],
        [{ id: 3, odd: 3 }],
      ],
      "/v1/exams": [[{ exam_id: 1, odd: 1 }]],
    },
  });

  expect(ran.warnings).toEqual([
    'field "odd" is not declared, or not a date: kept in _extra',
    'field "odd" is not declared, or not a date: kept in _extra',
  ]);
});

test("without _extra among the columns, what is left out is not said to be kept", async () => {
  const ran = await run({
    streams: [{ stream: "people", deselected: new Set(["_extra"]) }],
    script: { "/v1/people": [[{ id: 1, odd: 1, born: "soon" }]] },
  });

  expect(ran.rows("people")[0]).not.toHaveProperty("_extra");
  expect(ran.warnings).toEqual([
    'field "born" is not declared, or not a date: left out, as _extra is not selected',
    'field "odd" is not declared, or not a date: left out, as _extra is not selected',
  ]);
});

test("a date that is none is null in its column and kept raw in _extra", () => {
  const { row, drift } = normalise({ id: 1, born: "0000-00-00", joined_on: "yesterday" });

  expect(row).toMatchObject({ born: null, joined_on: null });
  expect(row["_extra"]).toEqual({ born: "0000-00-00", joined_on: "yesterday" });
  expect(drift).toEqual(["joined_on", "born"]);
});

test("a nested date that is none is null in its place and kept raw in _extra", () => {
  const { row, reject } = normalise({
    id: 1,
    boss: { id: 2, since: "" },
    jobs: [{ start: "2026-01-01" }, { start: "soon" }, { start: "later" }],
  });

  expect(reject).toBeUndefined();
  expect(row["boss"]).toEqual({ id: 2, since: null });
  expect(row["jobs"]).toEqual([{ start: "2026-01-01" }, { start: null }, { start: null }]);
  expect(row["_extra"]).toEqual({ "boss.since": [""], "jobs.start": ["soon", "later"] });
});

test("null never becomes zero, empty, false or 1970", () => {
  const nulls = Object.fromEntries(Object.keys(people.schema.shape).map((name) => [name, null]));

  const { row } = normalise({ ...nulls, id: 0 });

  expect(row).toEqual({ ...nulls, id: 0, _extra: null });
});

test("zero, false and empty text never become null", () => {
  const item = { id: 1, logins: 0, score: 0, managed: false, name: "", teams: [], boss: {} };

  expect(normalise(item).row).toMatchObject(item);
});

test.each([
  ["name", { first: "Ada" }, "text"],
  ["name", ["Ada"], "text"],
  ["managed", "yes", "a boolean"],
  ["managed", 1, "a boolean"],
  ["logins", 1.5, "a 64-bit integer"],
  ["logins", "1.5", "a 64-bit integer"],
  ["logins", "", "a 64-bit integer"],
  ["score", "high", "a number"],
  ["score", "", "a number"],
  ["boss", "Grace", "an object as declared"],
  ["boss", [{}], "an object as declared"],
  ["boss", { id: "x" }, "an object as declared"],
  ["aliases", "a@b", "a list as declared"],
  ["aliases", [{}], "a list as declared"],
  ["teams", [1, "x"], "a list as declared"],
  ["jobs", ["clerk"], "a list as declared"],
])("%s that is %j rejects the row, naming the field and the rule", (field, value, rule) => {
  const { reject, rows } = normalise({ id: 1, [field]: value });

  expect(rows).toEqual([]);
  expect(reject).toEqual({
    reason: `people: ${field} is not ${rule}`,
    raw: { id: 1, [field]: value },
  });
});

test.each([[null], [undefined], [""]])("a key that is %j rejects the row", (id) => {
  expect(normalise({ id, name: "Ada" }).rows).toEqual([]);
});

test.each([[null], [[]], ["text"], [5], [true]])("an item that is %j is a reject", (item) => {
  expect(normalise(item).reject).toEqual({ reason: "people: the row is not an object", raw: item });
});

test("what the parent gives goes into the row, over what the item says", () => {
  const { row } = normalise({ result_id: 1, exam_id: 5 }, results);

  expect(row).toMatchObject({ exam_id: 9, result_id: 1 });
});

test("deselected fields and members are left out of the row and out of _extra", () => {
  const without = ["name", "boss.email", "jobs.title"];
  const item = { id: 1, name: "Ada", boss: { id: 2, email: "e" }, jobs: [{ title: "t", pay: 1 }] };

  const { row, drift } = normalise(item, people, without);

  expect(row).not.toHaveProperty("name");
  expect(row["boss"]).toEqual({ id: 2 });
  expect(row["jobs"]).toEqual([{ pay: 1 }]);
  expect(row["_extra"]).toBeNull();
  expect(drift).toEqual([]);
});

test("fields that an endpoint repeats from another stream are left out, under any alias", () => {
  const item = {
    id: 1,
    name: "Ada",
    "full-name": "Ada",
    adi_managed: true,
    directory: {},
    since: 2,
  };

  const { row } = normalise({ ...item }, { ...members, parent: undefined } as unknown as StreamDef);

  expect(row["_extra"] ?? {}).toEqual({});
});

test("an item is identified within its listing by its own keys, aliases read", () => {
  expect(itemKeyOf(results)({ result_id: 5, exam_id: 1 })).toBe("5");
  expect(itemKeyOf(members)({ id: 7 })).toBe("7");
  expect(itemKeyOf(enrolments)({ enrolment_id: "7" })).toBe("7");
});

test("items without a key, or with one that is no scalar, are told apart by their content", () => {
  const key = itemKeyOf(people);

  expect(key({ name: "Ada" })).not.toBe(key({ name: "Grace" }));
  expect(key({ id: null, name: "Ada" })).not.toBe(key({ id: null, name: "Grace" }));
  expect(key({ id: { n: 1 } })).not.toBe(key({ id: { n: 2 } }));
  expect(key([1])).not.toBe(key([2]));
  expect(key({ name: "Ada" })).toBe(key({ name: "Ada" }));
});

test("picked fields that do not fit are null, and a field that does not exist is a bug", () => {
  const pick = picker(people, ["id", "managed"]);

  expect(pick({ id: "5", directory: { managed: true } })).toEqual({ id: 5, managed: true });
  expect(pick({ id: "x" })).toEqual({ id: null, managed: null });
  expect(pick("text")).toEqual({ id: null, managed: null });
  expect(() => picker(people, ["nope"])).toThrow(RangeError);
});
