import { describe, expect, test } from "vitest";

import type { SinkStream } from "../../src/core/ports.js";
import type { Checkpoint, Row, Scope } from "../../src/core/record.js";
import { EMPTY_STATE } from "../../src/core/state.js";
import type { Loader, LoaderOptions } from "../../src/loaders/loader.js";
import { batch, checkpoint, ended, running } from "../protocols/singer/support.js";
import { desk, PEOPLE, stream, type Desk } from "./support.js";

/** Rows that are not at the source any more. */

const [ada, bob, cyd, dan, eve] = ["Ada", "Bob", "Cyd", "Dan", "Eve"].map((name, i) => ({
  id: i + 1,
  name,
})) as readonly Row[] as readonly [Row, Row, Row, Row, Row];
const ALL = [ada, bob, cyd, dan, eve];
const MEMBERS = stream(
  "members",
  { team: "integer", person: "integer" },
  { primaryKey: ["team", "person"] },
);
const member = (team: number, person: number): Row => ({ team, person });
const team = (value: number): Scope => ({ kind: "part", column: "team", value });
const WHOLE: readonly Scope[] = [{ kind: "whole" }];

/** Start of the n-th run: what goes into `_kb4_deleted_at`. */
const day = (n: number) => `2026-06-${String(n).padStart(2, "0")}T00:00:00.000Z`;
const BOOKMARKS = "SELECT state ->> 'completedAt' AS at FROM _kb4_state WHERE stream = 'people'";

interface Run {
  readonly declared?: SinkStream;
  readonly scopes?: readonly Scope[];
  readonly options?: Partial<LoaderOptions>;
}

/** The n-th run: reads rows and says of what they are all rows. */
async function run(to: Desk, n: number, rows: readonly Row[], given: Run = {}) {
  const { declared = PEOPLE, scopes = WHOLE, options } = given;
  await using loader = await begun(to, n, options);
  await loader.declare(declared);
  const told = [
    ...(await safe(loader, n, rows, { declared, scopes })),
    ...(await loader.end(ended(declared.name))),
    ...(await loader.flush()),
  ];
  return { told, refusals: loader.refusals };
}

async function begun({ loader, clock }: Desk, n: number, options: Run["options"] = {}) {
  clock.advance(60_000);
  const made = loader({ maxVanishedRatio: 1, ...options });
  await made.open({ runId: `run-${String(n)}`, startedAt: day(n), state: EMPTY_STATE }, running());
  return made;
}

/** Rows under a checkpoint. */
function safe(
  loader: Loader,
  n: number,
  rows: readonly Row[],
  { declared = PEOPLE, scopes = WHOLE }: Run = {},
): Promise<readonly Checkpoint[]> {
  const { name } = declared;
  return loader.write(batch(name, rows, { checkpoint: checkpoint(name, n), scopes }));
}

/** Which rows are marked, and since when: `2@06-02` by key. */
async function gone({ query }: Desk, table = "people", key = "id"): Promise<readonly unknown[]> {
  const rows = await query(
    `SELECT ${key} || strftime(_kb4_deleted_at, '@%m-%d') AS mark FROM ${table} WHERE _kb4_deleted_at IS NOT NULL ORDER BY 1`,
  );
  return rows.map(({ mark }) => mark);
}
const goneMembers = (given: Desk) => gone(given, "members", "team || '/' || person");

test("marks the row that a whole reading did not bring, once, and leaves the others alone", async () => {
  const given = await desk();
  await run(given, 1, ALL);
  const versions = "SELECT id, _kb4_load_id FROM people ORDER BY id";
  const before = await given.query(versions);

  await run(given, 2, [ada, cyd, dan, eve]);
  await run(given, 3, [ada, cyd, dan, eve]);

  expect(await gone(given)).toEqual(["2@06-02"]);
  expect(await given.query(versions)).toEqual(before);
});

test.for([
  ["as it was", bob],
  ["changed", { id: 2, name: "Robert" }],
] as const)("takes back a row that returns %s", async ([, back]) => {
  const given = await desk();
  await run(given, 1, ALL);
  await run(given, 2, [ada, cyd, dan, eve]);

  await run(given, 3, [ada, back, cyd, dan, eve]);

  expect(await gone(given)).toEqual([]);
  expect(await given.query("SELECT id, name FROM people WHERE id = 2")).toEqual([back]);
});

test("empties a stream of which nothing is left", async () => {
  const given = await desk();
  await run(given, 1, [ada, bob]);

  await run(given, 2, []);

  expect(await gone(given)).toEqual(["1@06-02", "2@06-02"]);
});

test("keeps to the parts that were read, the empty ones too", async () => {
  const given = await desk();
  const rows = [member(1, 1), member(1, 2), member(2, 1), member(3, 1), member(4, 1)];
  await run(given, 1, rows, { declared: MEMBERS });

  await run(given, 2, [member(1, 1)], { declared: MEMBERS, scopes: [team(1), team(2)] });

  expect(await goneMembers(given)).toEqual(["1/2@06-02", "2/1@06-02"]);
});

test("marks what stood below parents that are not listed any more, and nothing below those that are", async () => {
  const given = await desk();
  await run(given, 1, [member(1, 1), member(2, 1), member(3, 1)], { declared: MEMBERS });
  const rest: Scope = { kind: "rest", column: "team", listed: [1, 2] };

  await run(given, 2, [], { declared: MEMBERS, scopes: [rest] });

  expect(await goneMembers(given)).toEqual(["3/1@06-02"]);
});

test("marks all rows below parents of which none is listed any more", async () => {
  const given = await desk();
  await run(given, 1, [member(1, 1), member(2, 1)], { declared: MEMBERS });
  const rest: Scope = { kind: "rest", column: "team", listed: [] };

  await run(given, 2, [], { declared: MEMBERS, scopes: [rest] });

  expect(await goneMembers(given)).toEqual(["1/1@06-02", "2/1@06-02"]);
});

test.for([
  ["of a column that is not selected", { kind: "part", column: "role", value: 1 }],
  ["whose value no key can have", { kind: "part", column: "team", value: null }],
  ["that has one such value", { kind: "rest", column: "team", listed: [1, null] }],
] as const)("marks nothing in a scope %s", async ([, scope]) => {
  const given = await desk();
  await run(given, 1, [member(1, 1), member(2, 1)], { declared: MEMBERS });

  await run(given, 2, [], { declared: MEMBERS, scopes: [scope] });

  expect(await goneMembers(given)).toEqual([]);
});

test("marks nothing without a scope, and nothing for rows that are not safe", async () => {
  const given = await desk();
  await run(given, 1, ALL);
  await run(given, 2, [ada], { scopes: [] });
  await using loader = await begun(given, 3);
  await loader.declare(PEOPLE);

  await loader.write(batch("people", [ada]));
  await loader.end({ ...ended("people"), status: "failed" });
  await loader.flush();

  expect(await gone(given)).toEqual([]);
});

test.for(["append", "replace"] as const)("marks nothing in mode %s", async (mode) => {
  const given = await desk();
  await run(given, 1, ALL, { options: { mode } });

  await run(given, 2, [ada], { options: { mode } });

  expect(await gone(given)).toEqual([]);
});

test("decides each part with all its rows, however often a run commits", async () => {
  const given = await desk();
  const teams = [1, 2, 3];
  const rows = teams.flatMap((n) => [member(n, 1), member(n, 2), member(n, 3)]);
  await run(given, 1, rows, { declared: MEMBERS });
  await using loader = await begun(given, 2, { commitBytes: 1 });
  await loader.declare(MEMBERS);

  for (const n of teams) {
    await loader.write(batch("members", [member(n, 1)]));
    // What another stream does meanwhile must not tear a part in two.
    await loader.flush();
    await safe(loader, n, [member(n, 3)], { declared: MEMBERS, scopes: [team(n)] });
  }
  await loader.end(ended("members"));
  await loader.flush();

  expect(await goneMembers(given)).toEqual(["1/2@06-02", "2/2@06-02", "3/2@06-02"]);
  const loads = await given.query(
    "SELECT count(*)::INT AS n FROM _kb4_loads WHERE run_id = 'run-2'",
  );
  expect(loads).toEqual([{ n: 3 }]);
});

test("gives tables of an earlier version the column, without writing their rows again", async () => {
  const given = await desk();
  await run(given, 1, ALL);
  await given.change("ALTER TABLE people DROP COLUMN _kb4_deleted_at");
  const versions = "SELECT id, _kb4_load_id FROM people ORDER BY id";
  const before = await given.query(versions);

  await run(given, 2, [ada, cyd, dan, eve]);

  expect(await gone(given)).toEqual(["2@06-02"]);
  expect(await given.query(versions)).toEqual(before);
});

test("marks with what was sealed before a crash, as the run that read it would have", async () => {
  const given = await desk();
  await run(given, 1, ALL);
  const cut = given.over((real) => ({
    ...real,
    open: async (access) => {
      const session = await real.open(access);
      return { ...session, transact: () => Promise.reject(new Error("the cable")) };
    },
  }));
  await cut.open({ runId: "run-2", startedAt: day(2), state: EMPTY_STATE }, running());
  await cut.declare(PEOPLE);
  await safe(cut, 2, [ada, cyd, dan, eve]);
  await expect(cut.flush()).rejects.toThrow("the cable");
  await cut[Symbol.asyncDispose]();
  expect(await gone(given)).toEqual([]);

  await using next = given.loader();
  await next.prepare();

  expect(await gone(given)).toEqual(["2@06-02"]);
});

describe("when more has gone than may", () => {
  const options = { maxVanishedRatio: 0.4 };

  test("marks none, keeps the bookmark where it was, and says so; the rows are in", async () => {
    const given = await desk();
    await run(given, 1, ALL);

    const { told, refusals } = await run(given, 2, [ada, { id: 6, name: "Fay" }], { options });

    expect(await gone(given)).toEqual([]);
    expect(await given.query("SELECT count(*)::INT AS n FROM people")).toEqual([{ n: 6 }]);
    expect(told).toEqual([]);
    expect(await given.query(BOOKMARKS)).toEqual([
      { at: checkpoint("people", 1).bookmark.completedAt },
    ]);
    expect(refusals).toMatchObject([{ kind: "api_contract", context: { stream: "people" } }]);
    expect(refusals[0]?.message).toBe(
      "people: 4 of 5 rows did not come any more, and max_vanished_ratio is 0.4: none was marked as deleted",
    );
    expect(refusals[0]?.hint).toContain("--allow-vanished");
  });

  test("marks as many as may go, exactly", async () => {
    const given = await desk();
    await run(given, 1, ALL);

    const { refusals } = await run(given, 2, [ada, cyd, dan], { options });

    expect(refusals).toEqual([]);
    expect(await gone(given)).toEqual(["2@06-02", "5@06-02"]);
  });

  test("marks them in the next run that is told to", async () => {
    const given = await desk();
    await run(given, 1, ALL);
    await run(given, 2, [ada], { options });

    const { told, refusals } = await run(given, 3, [ada], { options: { maxVanishedRatio: 1 } });

    expect(refusals).toEqual([]);
    expect(told).toEqual([checkpoint("people", 3)]);
    expect(await gone(given)).toEqual(["2@06-03", "3@06-03", "4@06-03", "5@06-03"]);
  });

  test("counts over all commits of a run, and holds later bookmarks back too", async () => {
    const given = await desk();
    const rows = [1, 2, 3].flatMap((n) => [member(n, 1), member(n, 2)]);
    await run(given, 1, rows, { declared: MEMBERS });
    await using loader = await begun(given, 2, { maxVanishedRatio: 0.2, commitBytes: 1 });
    await loader.declare(MEMBERS);
    const told: Checkpoint[] = [];

    // One of six is less than a fifth, the second one is not, and the third team lost nobody.
    for (const n of [1, 2, 3]) {
      const kept = n === 3 ? [member(3, 1), member(3, 2)] : [member(n, 1)];
      told.push(...(await safe(loader, n, kept, { declared: MEMBERS, scopes: [team(n)] })));
    }

    expect(await goneMembers(given)).toEqual(["1/2@06-02"]);
    expect(told).toEqual([checkpoint("members", 1)]);
  });

  test("holds a later bookmark back that a crash left in the spool", async () => {
    const given = await desk();
    const rows = [1, 2, 3].flatMap((n) => [member(n, 1), member(n, 2)]);
    await run(given, 1, rows, { declared: MEMBERS });
    let commits = 0;
    const cut = given.over(
      (real) => ({
        ...real,
        open: async (access) => {
          const session = await real.open(access);
          const transact: typeof session.transact = (...args) =>
            (commits += 1) === 3
              ? Promise.reject(new Error("the cable"))
              : session.transact(...args);
          return { ...session, transact };
        },
      }),
      { maxVanishedRatio: 0.1, commitBytes: 1 },
    );
    await cut.open({ runId: "run-2", startedAt: day(2), state: EMPTY_STATE }, running());
    await cut.declare(MEMBERS);
    const read = (n: number, kept: readonly Row[]) =>
      safe(cut, n, kept, { declared: MEMBERS, scopes: [team(n)] });
    await read(1, [member(1, 1), member(1, 2)]);
    await read(2, [member(2, 1)]);
    await read(3, [member(3, 1), member(3, 2), member(3, 3)]);
    await expect(cut.flush()).rejects.toThrow("the cable");
    await cut[Symbol.asyncDispose]();

    await using next = given.loader();
    const { bookmarks } = await next.prepare();

    expect(await given.query("SELECT count(*)::INT AS n FROM members")).toEqual([{ n: 7 }]);
    expect(bookmarks["members"]).toEqual(checkpoint("members", 1).bookmark);
  });

  test("does not count again what went in earlier runs", async () => {
    const given = await desk();
    await run(given, 1, ALL);
    await run(given, 2, [ada, bob, cyd], { options });

    const { refusals } = await run(given, 3, [ada, bob], { options });

    expect(refusals).toEqual([]);
    expect(await gone(given)).toEqual(["3@06-03", "4@06-02", "5@06-02"]);
  });
});
