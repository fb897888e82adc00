import { setImmediate as nextTurn } from "node:timers/promises";

import { expect, test } from "vitest";

import { child } from "./children.js";
import { desk } from "./support.js";

/**
 * The process is killed at any moment, again and again. Numbers are appended in commits of three,
 * from where the state stands: a number that is missing was lost, one that is there twice was not
 * fenced off.
 */
test.for([1, 2])(
  "rows and state agree however often the process is killed (%d)",
  { timeout: 60_000 },
  async () => {
    const given = await desk();
    let most = 0;

    for (let kill = 0; kill < 5; kill += 1) {
      const counting = child(["count", given.path]);
      for (let commits = 0; commits < 2; commits += 1) await counting.next();
      await moment();
      await counting.kill();
      const told = Math.max(...counting.said.map(Number));

      const [left] = await standing(given);
      expect(left!["rows"]).toBe(left!["last"]);
      expect(left!["state"]).toBe(left!["last"]);
      expect(left!["last"]).toBeGreaterThanOrEqual(told);
      expect(told).toBeGreaterThan(most);
      most = told;
    }

    await given.loader({ mode: "append" }).prepare();
    const [end] = await standing(given);
    expect(end!["rows"]).toBe(end!["last"]);
    expect(end!["state"]).toBe(end!["last"]);
    expect(await given.waiting()).toEqual([]);
  },
);

/** Between none and all of a commit. */
async function moment(): Promise<void> {
  const until = performance.now() + Math.random() * 80;
  while (performance.now() < until) await nextTurn();
}

/** How many numbers there are, which is the last, and which one the state names. */
function standing({ query }: Awaited<ReturnType<typeof desk>>) {
  return query(
    `SELECT count(DISTINCT n)::INT AS rows, max(n)::INT AS last,
      (SELECT epoch((state ->> 'cursor')::TIMESTAMP)::INT FROM _kb4_state WHERE stream = 'numbers') AS state
      FROM numbers HAVING count(*) = count(DISTINCT n)`,
  );
}
