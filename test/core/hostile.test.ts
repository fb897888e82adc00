import { expect, test } from "vitest";

import { columnsOf } from "../../src/core/columns.js";
import { digest } from "../../src/core/digest.js";
import { stringify, type Json } from "../../src/core/json.js";
import { normaliser, rowShape } from "../../src/core/normalise.js";
import { people } from "../support/streams.js";

/** What no honest API sends. */

function normalise(item: unknown) {
  const into = {
    rows: [] as Record<string, Json>[],
    rejects: [] as { reason: string; raw: Json }[],
  };
  normaliser(rowShape(people, columnsOf(people)), () => undefined)(item, {}, into);
  return { ...into, row: into.rows[0] ?? {}, reject: into.rejects[0] };
}

const extraText = (row: Readonly<Record<string, Json>>) => stringify(row["_extra"] ?? null);

/** `depth` lists, one in the other. */
const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

test("keys of prototypes are plain data", () => {
  const text = '{"__proto__":{"polluted":1},"constructor":"c","toString":"t","hasOwnProperty":0}';

  const { row } = normalise(JSON.parse(`{"id":1,${text.slice(1)}`));

  expect(extraText(row)).toBe(text);
  expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("keys of prototypes are plain data within declared objects, and in rejects", () => {
  const boss = '{"__proto__":{"id":5},"constructor":1}';

  const kept = normalise(JSON.parse(`{"id":1,"boss":${boss}}`));
  const refused = normalise(JSON.parse(`{"id":null,"boss":${boss}}`));

  expect(stringify(kept.row["boss"] ?? null)).toBe(boss);
  expect(stringify(refused.reject?.raw ?? null)).toBe(`{"id":null,"boss":${boss}}`);
});

test("lone surrogates become U+FFFD, in values and in keys", () => {
  const { row } = normalise({
    id: 1,
    name: "\ud800",
    boss: { "\udc00": "\ud800" },
    "\ud801": ["\udfff"],
  });

  expect(row["name"]).toBe("\ufffd");
  expect(row["boss"]).toEqual({ "\ufffd": "\ufffd" });
  expect(row["_extra"]).toEqual({ "\ufffd": ["\ufffd"] });
});

test("NUL and control characters pass through as they are", () => {
  const { row } = normalise({ id: 1, name: "a\u0000b\u001b", odd: "\u0000" });

  expect(row).toMatchObject({ name: "a\u0000b\u001b", _extra: { odd: "\u0000" } });
});

test("integers beyond 2^53 stand exactly, wherever they are", () => {
  const big = 9007199254740993n;

  const { row } = normalise({
    id: big,
    teams: [big],
    boss: { id: big, n: big },
    odd: [{ n: big }],
  });

  expect(stringify(row)).toContain('"id":9007199254740993,');
  expect(stringify(row).match(/9007199254740993/g)).toHaveLength(5);
});

test("1e309 in an undeclared field is kept as text, and nothing around it is lost", () => {
  const { row } = normalise(JSON.parse('{"id":1,"odd":{"a":1e309,"b":[1,-1e309]},"n":1e309}'));

  expect(row["_extra"]).toEqual({ odd: { a: "Infinity", b: [1, "-Infinity"] }, n: "Infinity" });
});

test("1e309 in a declared field rejects the row, which is kept whole", () => {
  const { reject } = normalise(JSON.parse('{"id":1,"logins":1e309,"odd":[1e309,2]}'));

  expect(reject).toEqual({
    reason: "people: logins is not a 64-bit integer",
    raw: { id: 1, logins: "Infinity", odd: ["Infinity", 2] },
  });
});

test("an object 200 levels deep goes through", () => {
  const { row } = normalise({ id: 1, odd: nested(200) });

  expect(stringify(row)).toContain("[".repeat(200));
});

test.each([1_000, 100_000])(
  "an object %i levels deep rejects the row and nothing else",
  (depth) => {
    const { rows, reject } = normalise({ id: 1, odd: nested(depth) });
    const key = normalise({ id: nested(depth) });
    const list = normalise({ id: 1, jobs: nested(depth) });
    const item = normalise(nested(depth));

    expect(rows).toEqual([]);
    expect(reject?.reason).toBe("people: odd is nested too deeply");
    expect([key.rows, list.rows, item.rows]).toEqual([[], [], []]);
    for (const { raw } of [reject, key.reject, list.reject, item.reject].map((r) => r!)) {
      expect(() => stringify(raw)).not.toThrow();
      expect(() => digest(raw)).not.toThrow();
    }
  },
);

test("5,000 undeclared fields are kept", () => {
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`f${String(i)}`, i]));

  const { row } = normalise({ id: 1, ...many });

  expect(row["_extra"]).toEqual(many);
});

test("10 MB of text goes through", () => {
  const long = "x".repeat(10_000_000);

  expect(normalise({ id: 1, name: long }).row["name"]).toBe(long);
});
