import { setImmediate as nextTurn } from "node:timers/promises";

import fc from "fast-check";
import { expect, test } from "vitest";

import { fanOut } from "../../src/core/fanout.js";

/** Reading below many parents at once. */

/** Pages `parent.1`, `parent.2`, … each of which takes some turns of the event loop. */
async function* pagesOf(parent: string, turns: readonly number[]): AsyncGenerator<string> {
  for (const [index, count] of turns.entries()) {
    for (let turn = count; turn > 0; turn--) await nextTurn();
    yield `${parent}.${String(index + 1)}`;
  }
}

async function collect(
  parents: readonly (readonly number[])[],
  concurrency: number,
): Promise<readonly string[]> {
  const seen: string[] = [];
  const named = parents.map((turns, i) => ({ name: String(i), turns }));
  for (const branch of fanOut(named, concurrency, (p) => pagesOf(p.name, p.turns))) {
    for await (const page of branch.pages) seen.push(page);
  }
  return seen;
}

test("at any concurrency and any speed, results come in the order of the parents", async () => {
  const turns = fc.array(fc.array(fc.nat(4), { maxLength: 3 }), { maxLength: 8 });

  await fc.assert(
    fc.asyncProperty(turns, fc.integer({ min: 1, max: 10 }), async (parents, concurrency) => {
      expect(await collect(parents, concurrency)).toEqual(await collect(parents, 1));
    }),
    { numRuns: 40 },
  );
});

test("no more than the concurrency is opened ahead of the parent whose turn it is", async () => {
  const opened: number[] = [];
  const parents = [0, 1, 2, 3, 4, 5];

  const branches = fanOut(parents, 3, (p) => {
    opened.push(p);
    return pagesOf(String(p), [1]);
  });
  const first = branches.next();

  expect(first.done).toBe(false);
  expect(opened).toEqual([0, 1, 2]);
  branches.return(undefined);
});

test("a page that fails is reported when its turn comes, after the ones before it", async () => {
  const seen: string[] = [];
  const failing = async function* (parent: number): AsyncGenerator<string> {
    if (parent === 1) throw new Error("at once");
    yield* pagesOf(String(parent), [5, 5]);
  };

  const reading = async () => {
    for (const branch of fanOut([0, 1, 2], 3, failing)) {
      for await (const page of branch.pages) seen.push(page);
    }
  };

  await expect(reading()).rejects.toThrow("at once");
  expect(seen).toEqual(["0.1", "0.2"]);
});

test("leaving in the middle closes every listing that was opened", async () => {
  const closed: number[] = [];
  const closing = async function* (parent: number): AsyncGenerator<string> {
    try {
      yield* pagesOf(String(parent), [0, 0]);
    } finally {
      closed.push(parent);
    }
  };

  for (const branch of fanOut([0, 1, 2, 3], 2, closing)) {
    for await (const page of branch.pages) if (page !== "") break;
    break;
  }
  await nextTurn();

  expect(closed.toSorted()).toEqual([0, 1]);
});
