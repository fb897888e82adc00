import { setImmediate as nextTurn } from "node:timers/promises";

import { expect, test } from "vitest";

import { child, type Child } from "./children.js";
import { POINTS } from "./halting.js";
import { counted, killsOf } from "./kills.js";
import { desk, type Desk } from "./support.js";

/**
 * The process is killed with SIGKILL, again and again. Numbers are appended in commits of three, from
 * where the state stands: a number that is missing was lost, one that is there twice was not fenced
 * off. Each process begins with what the killed one before has left.
 */

const { atEach, anywhere } = killsOf("duckdb", POINTS.length);
const patience = { timeout: 60_000 + 20_000 * Math.max(atEach, anywhere) };

test.for(POINTS)(
  `killed %s (${String(atEach)} times): the next runs leave what an unkilled one leaves`,
  patience,
  async (point) => {
    const given = await desk();

    for (let kill = 0; kill < atEach; kill += 1) {
      // At its first commit, which may be one that the process before had left; or at its second.
      const counting = child(["count", given.path, "append", `${point}#${String((kill + 1) % 2)}`]);
      while ((await counting.next()) !== point);
      await counting.kill();
      await expectWhole(given, counting);
    }

    await expectConverged(given);
  },
);

test(`killed at any moment (${String(anywhere)} times): the same`, patience, async () => {
  const given = await desk();
  let most = 0;

  for (let kill = 0; kill < anywhere; kill += 1) {
    const counting = child(["count", given.path]);
    for (let commits = 0; commits < 2; commits += 1) await counting.next();
    await moment();
    await counting.kill();
    await expectWhole(given, counting);
    const told = Math.max(...counting.said.map(Number));
    expect(told).toBeGreaterThan(most);
    most = told;
  }

  await expectConverged(given);
});

/** Where a commit may be with one version written, or none, or both. */
const IN_HISTORY = POINTS.filter((point) => !/spooling|without the rows/.test(point));

test.for(IN_HISTORY)(
  `in mode history, killed %s: every version is there once, and follows the one before`,
  patience,
  async (point) => {
    const given = await desk();

    for (const commits of [1, 0, 2]) {
      const revising = child(["revise", given.path, "history", `${point}#${String(commits)}`]);
      while ((await revising.next()) !== point);
      await revising.kill();
      await expectVersions(given, revising);
    }
    await given.loader({ mode: "history" }).prepare();

    expect(await expectVersions(given, { said: [] })).toBeGreaterThan(3);
  },
);

test(
  `in mode history, killed at any moment (${String(anywhere)} times): the same`,
  patience,
  async () => {
    const given = await desk();

    for (let kill = 0; kill < anywhere; kill += 1) {
      const revising = child(["revise", given.path, "history"]);
      for (let commits = 0; commits < 2; commits += 1) await revising.next();
      await moment();
      await revising.kill();
      expect(await expectVersions(given, revising)).toBeGreaterThan(2 * kill);
    }
  },
);

/**
 * Of each row one version after the other is there, from the first to the one at which the state stands, and each
 * holds until the next does.
 *
 * @returns how many.
 */
async function expectVersions(at: Desk, { said }: Pick<Child, "said">): Promise<number> {
  const there = await at.query("SELECT 1 FROM duckdb_tables() WHERE table_name = 'numbers'");
  const rows =
    there.length === 0
      ? []
      : await at.query(
          `SELECT n::INT AS n, text::INT AS version, epoch(_kb4_valid_from)::INT AS since,
            epoch(_kb4_valid_to)::INT AS until FROM numbers ORDER BY n, version`,
        );
  const [state] = await at.query(
    "SELECT epoch((state ->> 'cursor')::TIMESTAMP)::INT AS n FROM _kb4_state WHERE stream = 'numbers'",
  );
  const last = Number(state?.["n"] ?? 0);
  const versions = Array.from({ length: last }, (_, i) => i + 1);
  expect(rows).toEqual(
    [1, 2, 3].flatMap((n) =>
      versions.map((v) => ({ n, version: v, since: v, until: v === last ? null : v + 1 })),
    ),
  );
  expect(last).toBeGreaterThanOrEqual(Math.max(0, ...said.map(Number).filter((n) => !isNaN(n))));
  return last;
}

/** Between none and all of a commit. */
async function moment(): Promise<void> {
  const until = performance.now() + Math.random() * 80;
  while (performance.now() < until) await nextTurn();
}

/** Rows and state stand at the same number, and what was told is there. */
async function expectWhole(at: Desk, { said }: Pick<Child, "said">): Promise<void> {
  const told = said.filter((each) => typeof each === "number");
  const [left] = await at.query(
    `SELECT count(*)::INT AS rows, count(DISTINCT n)::INT AS apart, coalesce(max(n), 0)::INT AS last,
      (SELECT epoch((state ->> 'cursor')::TIMESTAMP)::INT FROM _kb4_state WHERE stream = 'numbers') AS state
      FROM ${await numbersOf(at)}`,
  );
  const last = Number(left?.["last"]);
  expect(left).toEqual({ rows: last, apart: last, last, state: last === 0 ? null : last });
  expect(last).toBeGreaterThanOrEqual(Math.max(0, ...told));
}

/** The table of numbers; before its first commit there may be none. */
async function numbersOf({ query }: Desk): Promise<string> {
  const found = await query(
    "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'knowbe4' AND table_name = 'numbers'",
  );
  return found.length === 0 ? "(SELECT 1 AS n WHERE false)" : "numbers";
}

/** The next run goes on; then the tables are those of a run that was not killed, and nothing waits. */
async function expectConverged(at: Desk): Promise<void> {
  const counting = child(["count", at.path]);
  const last = Number(await counting.next());
  await counting.kill();
  await at.loader({ mode: "append" }).prepare();

  const rows = await at.query("SELECT n, text FROM numbers ORDER BY n");
  expect(rows).toEqual(counted(rows.length));
  expect(rows.length).toBeGreaterThanOrEqual(last);
  await expectWhole(at, { said: [rows.length] });
  const [ledger] = await at.query(
    "SELECT sum(rows_written)::INT AS rows, count(*) - count(DISTINCT load_id) AS twice FROM _kb4_loads",
  );
  expect(ledger).toEqual({ rows: rows.length, twice: 0 });
  expect(await at.waiting()).toEqual([]);
}
