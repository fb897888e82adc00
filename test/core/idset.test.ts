import fc from "fast-check";
import { expect, test } from "vitest";

import { decodeIds, encodeIds, isIdSet } from "../../src/core/idset.js";

/** Sets of ids as one short string. */

test("any set of ids comes back as it went in", () => {
  const id = fc.oneof(fc.nat(200), fc.maxSafeNat());

  fc.assert(
    fc.property(fc.uniqueArray(id), (ids) => {
      const text = encodeIds(ids);

      expect([...decodeIds(text)]).toEqual(ids.toSorted((a, b) => a - b));
      expect(isIdSet(text)).toBe(true);
    }),
  );
});

test("the order and repetition of ids do not show", () => {
  expect(encodeIds([3, 1, 2, 3, 1])).toBe(encodeIds([1, 2, 3]));
});

test("50,000 people take little room, neighbours or not", () => {
  const neighbours = Array.from({ length: 50_000 }, (_, i) => 1_000_000 + i);
  const scattered = Array.from({ length: 50_000 }, (_, i) => 1_000_000 + i * 7 + (i % 3));

  expect(encodeIds(neighbours).length).toBeLessThan(20);
  expect(encodeIds(scattered).length).toBeLessThan(150_000);
  expect(isIdSet(encodeIds(scattered))).toBe(true);
});

test("what is no id of ours is left out: its parent counts as new each time", () => {
  expect(encodeIds([1, -1, 1.5, Number.NaN, 2 ** 53])).toBe(encodeIds([1]));
});

test.each(["1.", ".1", "A", "1~", "~1", "1~2~3", "1 2", "0", "1~0", "1~zzzzzz", "zzzzzzzzzzzzzz"])(
  "%s is not a set of ids",
  (text) => {
    expect(isIdSet(text)).toBe(false);
  },
);
