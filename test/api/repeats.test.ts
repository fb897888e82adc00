import { describe, expect, test } from "vitest";

import { PageKeys, RecentPages, Repeats } from "../../src/api/repeats.js";

describe("marks that come again", () => {
  test("are told, however many came in between", () => {
    const seen = new Repeats();
    let early = 0;
    for (let i = 0; i < 50_000; i++) if (seen.add(`m${String(i)}`)) early++;

    expect(early).toBe(0);
    expect(seen.add("m0")).toBe(true);
    expect(seen.add("m49999")).toBe(true);
  });

  test("are told in a loop that is longer than what is remembered", () => {
    const seen = new Repeats();
    const length = 130_000;
    let i = 0;
    while (!seen.add(`m${String(i % length)}`) && i < 10 * length) i++;

    expect(i).toBeGreaterThanOrEqual(length);
    expect(i).toBeLessThan(4 * length);
  });
});

describe("the keys of a page", () => {
  const keyOf = String;

  test("are the same page in whatever parts they come", () => {
    const whole = new PageKeys();
    whole.add([1, 2, 3], keyOf);
    const parts = new PageKeys();
    parts.add([1], keyOf);
    parts.add([2, 3], keyOf);

    expect(parts.digest()).toBe(whole.digest());
  });

  test("are another page in another order, or with keys that only look alike put together", () => {
    const digestOf = (items: readonly unknown[]) => {
      const keys = new PageKeys();
      keys.add(items, keyOf);
      return keys.digest();
    };

    expect(new Set([[1, 2], [2, 1], [12], [1, 2, 2]].map(digestOf)).size).toBe(4);
  });

  test("keep what stood on the page before from being given again", () => {
    const before = new PageKeys();
    before.add([1, 2, 3], keyOf);
    const pages = new RecentPages();
    pages.push(before);
    const after = new PageKeys(pages);

    expect(after.add([3, 4, 4], keyOf)).toEqual([4, 4]);
    expect(after).toMatchObject({ count: 3, fresh: 2, first: "3" });
  });
});
