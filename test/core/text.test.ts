import fc from "fast-check";
import { expect, test } from "vitest";

import { digest } from "../../src/core/digest.js";
import { asConnectorError, ConnectorError, RECOVERY, worse } from "../../src/core/errors.js";
import { canonical, stringify, type Json } from "../../src/core/json.js";
import { nearest } from "../../src/core/suggest.js";

/** JSON text, digests, suggestions and errors. */

test("JSON text without large integers is that of JSON.stringify", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(stringify(value as Json)).toBe(JSON.stringify(value));
    }),
  );
});

test("large integers are written exactly, at any depth", () => {
  const value = { a: [9007199254740993n, { b: -9223372036854775808n }], "9": 'q"' };

  expect(stringify(value)).toBe('{"9":"q\\"","a":[9007199254740993,{"b":-9223372036854775808}]}');
});

test("the order of keys does not show in a digest; every value does", () => {
  expect(digest({ a: 1, b: { c: 2, d: 3 } })).toBe(digest({ b: { d: 3, c: 2 }, a: 1 }));
  const others = [
    { a: 1 },
    { a: "1" },
    { a: null },
    { a: [1] },
    { a: 1, b: null },
    { a: 1n << 60n },
  ];
  expect(new Set(others.map((v) => digest(v))).size).toBe(others.length);
  expect(canonical(JSON.parse('{"b":1,"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1},"b":1}');
});

test.each([
  ["regoin", "region"],
  ["REGION", "region"],
  ["apikey", "api_key"],
  ["pagesize", "page_size"],
  ["banana", undefined],
  ["", undefined],
])("%s is likely to mean %s", (word, expected) => {
  expect(nearest(word, ["region", "api_key", "page_size"])).toBe(expected);
});

test("nothing is like anything among no candidates", () => {
  expect(nearest("region", [])).toBeUndefined();
});

test("a foreign error is a bug of ours, and its text is not repeated", () => {
  const foreign = new TypeError("ada@example.org is not iterable");

  const error = asConnectorError(foreign);

  expect(error).toMatchObject({ kind: "internal", message: "unexpected TypeError" });
  expect(error.cause).toBe(foreign);
  expect(asConnectorError("text").message).toBe("unexpected string");
  expect(asConnectorError(error)).toBe(error);
});

test("of two failures the one further down the table is the worse, whichever came first", () => {
  const kinds = Object.keys(RECOVERY) as (keyof typeof RECOVERY)[];
  for (const [i, a] of kinds.entries()) {
    for (const [j, b] of kinds.entries()) {
      const [first, second] = [new ConnectorError(a, "a"), new ConnectorError(b, "b")];
      expect(worse(first, second)).toBe(j > i ? second : first);
    }
  }
  expect(worse(undefined, undefined)).toBeUndefined();
});
