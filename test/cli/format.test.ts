import { expect, test } from "vitest";

import { grouped } from "../../src/cli/format.js";

test.each([
  [0, "0"],
  [999, "999"],
  [1_000, "1,000"],
  [2_236_825, "2,236,825"],
  [-12_345, "-12,345"],
  [1_234.5678, "1,234.5678"],
])("groups the digits of %d", (n, text) => {
  expect(grouped(n)).toBe(text);
});
