import fc from "fast-check";
import { expect, test } from "vitest";

import { KeyCount } from "../../src/api/keycount.js";

test("counts any keys as a set of them would", () => {
  const near = fc.nat(40).map(String);
  const far = fc.nat(9_000_000_000).map((id) => String(1_000_000_000_000 + id));
  const key = fc.oneof(near, far, fc.string({ maxLength: 2 }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 4_000 }), (keys) => {
      const count = new KeyCount();
      for (const k of keys) count.add(k);
      return count.distinct === new Set(keys).size;
    }),
    { numRuns: 20 },
  );
});

test("counts ids by the ten thousand in any order, each as often as it comes", () => {
  // A step that shares no divisor with the count reaches every id once, up and down.
  const ids = Array.from({ length: 70_000 }, (_, i) => (i * 30_011) % 70_000);
  const count = new KeyCount();

  for (const id of [...ids, ...ids]) count.add(String(id));

  expect(count.distinct).toBe(70_000);
});

test("counts two million ids of an account", () => {
  const count = new KeyCount();

  for (let id = 1; id <= 2_000_000; id++) count.add(String(8_000_000_000 + id));

  expect(count.distinct).toBe(2_000_000);
});

test("says that it cannot tell, rather than more memory or a wrong number", () => {
  const count = new KeyCount();

  for (let i = 1; i <= 60_000; i++) count.add(String(i * 100_000));

  expect(count.distinct).toBeNull();
});
