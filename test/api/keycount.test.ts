import fc from "fast-check";
import { expect, test } from "vitest";

import { KeyCount } from "../../src/api/keycount.js";

test("counts any keys as a set of them would", () => {
  const key = fc.oneof(fc.nat(40).map(String), fc.string({ maxLength: 2 }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 4_000 }), (keys) => {
      const count = new KeyCount();
      for (const k of keys) count.add(k);
      return count.distinct === new Set(keys).size;
    }),
    { numRuns: 20 },
  );
});

test("says that it cannot tell, rather than more memory or a wrong number", () => {
  const count = new KeyCount();

  for (let id = 1; id <= 1_100_000; id++) count.add(String(id));

  expect(count.distinct).toBeNull();
});
