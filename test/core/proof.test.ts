import { expect, test } from "vitest";

import { judge, judgeSeats } from "../../src/core/proof.js";

test.each([
  [40, 40, "equal"],
  [0, 0, "equal"],
  [41, 40, "differs"],
  [40, 41, "differs"],
  // Nobody has a name any more where an account is anonymised.
  [40, 0, "differs"],
  [1_200, 1_199, "differs"],
  // A round number by chance: some have left.
  [110, 100, "differs"],
  [125, 100, "differs"],
  [126, 100, "capped"],
  [1_200, 500, "capped"],
  [12, 10, "differs"],
  [13, 10, "capped"],
  [40, 20, "differs"],
] as const)("of %i declared rows %i came: %s", (declared, came, verdict) => {
  expect(judge(declared, came)).toBe(verdict);
});

test("fewer people than seats are usual, more are not", () => {
  expect(judgeSeats({ seats: 40, used: 40 })).toBe("within");
  expect(judgeSeats({ seats: 40, used: 41 })).toBe("beyond");
});
