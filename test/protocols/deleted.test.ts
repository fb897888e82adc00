import fc from "fast-check";
import { expect, test } from "vitest";

import type { ConnectorError } from "../../src/core/errors.js";
import type { Scope } from "../../src/core/record.js";
import { applyCheckpoints, EMPTY_STATE, type State } from "../../src/core/state.js";
import {
  AIRBYTE_DELETED,
  DeletedRecords,
  SINGER_DELETED,
  type DeletedOptions,
} from "../../src/protocols/deleted.js";
import { SingerWriter } from "../../src/protocols/singer/writer.js";
import {
  batch,
  checkpoint,
  declared,
  ended,
  memoryOut,
  ofType,
  runInfo,
  running,
} from "./singer/support.js";

/** How readers of a protocol hear of rows that are not at the source any more. */

const AT = "2026-06-01T00:00:00.000Z";
const WHOLE: Scope = { kind: "whole" };

type Given = Readonly<Record<string, number | null>>;

interface Step {
  readonly rows: readonly Given[];
  readonly scopes?: readonly Scope[];
}

interface Told {
  readonly state: State;
  /** Rows as they came, `_observed_at` and what is null left out. */
  readonly rows: readonly object[];
  readonly refusals: readonly ConnectorError[];
}

/** One run of a stream, checkpoint after checkpoint. */
async function run(
  stream: string,
  steps: readonly Step[],
  { state = EMPTY_STATE, ...more }: Partial<DeletedOptions> & { readonly state?: State } = {},
): Promise<Told> {
  const out = memoryOut();
  const sink = new DeletedRecords(new SingerWriter(out), { style: SINGER_DELETED, ...more });
  await sink.open(runInfo(state), running());
  await sink.declare({ ...declared(stream), whole: state === EMPTY_STATE });
  let after = state;
  for (const [minute, { rows, scopes = [] }] of steps.entries()) {
    const { columns } = declared(stream);
    const none = Object.fromEntries(columns.map(({ name }) => [name, null]));
    const { _observed_at: _, ...empty } = none;
    const given = rows.map((row) => ({ ...empty, ...row }));
    const done = { checkpoint: checkpoint(stream, minute), scopes };
    after = applyCheckpoints(after, await sink.write(batch(stream, given, done)));
  }
  after = applyCheckpoints(after, await sink.end(ended(stream)));
  const { refusals } = sink;
  await sink[Symbol.asyncDispose]();
  const rows = ofType(out.text, "RECORD").map((message) => {
    const { _observed_at: _, ...row } = message["record"] as Given;
    return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
  });
  return { state: after, rows, refusals };
}

const people = (...ids: readonly number[]): Step => ({
  rows: ids.map((id) => ({ id })),
  scopes: [WHOLE],
});

test("a row that does not come any more is told once: its key, and when it was missed", async () => {
  const first = await run("users", [people(1, 2, 3, 4, 5, 6)]);

  const second = await run("users", [people(1, 2, 3, 4, 6)], first);
  const third = await run("users", [people(1, 2, 3, 4, 6)], second);

  expect(first.rows.filter((row) => "_sdc_deleted_at" in row)).toEqual([]);
  expect(second.rows.at(-1)).toEqual({ id: 5, _sdc_deleted_at: AT });
  expect(second.rows).toHaveLength(6);
  expect(third.rows).toHaveLength(5);
});

test("every row says that it is there, so that one that returns is there again", async () => {
  const out = memoryOut();
  const sink = new DeletedRecords(new SingerWriter(out), { style: SINGER_DELETED });
  await sink.open(runInfo(), running());
  await sink.declare(declared("users"));

  await sink.write(batch("users", [{ id: 5 }]));
  await sink.flush();

  expect(ofType(out.text, "RECORD")[0]?.["record"]).toMatchObject({ id: 5, _sdc_deleted_at: null });
  expect(ofType(out.text, "SCHEMA")[0]?.["schema"]).toMatchObject({
    properties: { _sdc_deleted_at: { type: ["string", "null"], format: "date-time" } },
  });
});

test("nothing is told of what was not read completely", async () => {
  const first = await run("users", [people(1, 2, 3, 4, 5, 6)]);

  const partly = await run("users", [{ rows: [{ id: 1 }] }], first);
  const again = await run("users", [people(1, 2, 3, 4, 5)], partly);

  expect(partly.rows).toEqual([{ id: 1 }]);
  expect(again.rows.at(-1)).toEqual({ id: 6, _sdc_deleted_at: AT });
});

const members = (group: number, ...ids: readonly number[]): Step => ({
  rows: ids.map((id) => ({ group_id: group, user_id: id })),
  scopes: [{ kind: "part", column: "group_id", value: group }],
});

test("below a part only its own rows go, and all of them with a part that is not listed", async () => {
  const first = await run("group_members", [
    members(1, 10, 11, 12, 13),
    members(2, 10, 11, 12, 13),
    members(3, 10, 11),
  ]);
  const rest: Step = { rows: [], scopes: [{ kind: "rest", column: "group_id", listed: [1, 2] }] };

  const second = await run("group_members", [members(2, 11, 12, 13), rest], {
    ...first,
    most: Infinity,
  });

  expect(second.rows.filter((row) => "_sdc_deleted_at" in row)).toEqual([
    { group_id: 2, user_id: 10, _sdc_deleted_at: AT },
    { group_id: 3, user_id: 10, _sdc_deleted_at: AT },
    { group_id: 3, user_id: 11, _sdc_deleted_at: AT },
  ]);
  expect(Object.keys(second.state.bookmarks["group_members"]?.keys ?? {})).toEqual(["1", "2"]);
});

const training = (campaign: number, ...ids: readonly number[]): Step => ({
  rows: ids.map((id) => ({ enrollment_id: id, campaign_id: campaign })),
  scopes: [{ kind: "part", column: "campaign_id", value: campaign }],
});

test("a row that is found in another part has moved, whichever is read first", async () => {
  const first = await run("enrollments", [training(1, 10, 11), training(2, 20, 21, 22)]);

  const second = await run("enrollments", [training(1, 10), training(2, 20, 21, 22, 11)], first);
  const third = await run("enrollments", [training(1, 10, 11), training(2, 20, 21, 22)], second);

  expect(third.rows.filter((row) => "_sdc_deleted_at" in row)).toEqual([]);
  expect(third.state.bookmarks["enrollments"]?.keys).toEqual({ 1: "b~2", 2: "l~3" });
});

test("where more than a fifth has gone nothing is told, and the bookmark stays", async () => {
  const first = await run("users", [people(1, 2, 3, 4, 5)]);

  const second = await run("users", [people(1, 2, 3)], first);
  const third = await run("users", [people(1, 2, 3)], { ...second, most: Infinity });

  expect(second.rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  expect(second.state).toEqual(first.state);
  expect(second.refusals.map(({ kind, message, hint }) => ({ kind, message, hint }))).toEqual([
    {
      kind: "api_contract",
      message:
        "users: 2 of 5 rows did not come any more, and deleted_records believes at most 20 %: none was marked as deleted",
      hint: 'if they have gone indeed, run once with deleted_records "all"; if not, see what this key may read',
    },
  ]);
  expect(third.rows.filter((row) => "_sdc_deleted_at" in row)).toHaveLength(2);
  expect(third.refusals).toEqual([]);
});

test("a fifth is counted over the whole run, not part by part", async () => {
  const all = [1, 2, 3].map((group) => members(group, 1, 2, 3, 4, 5));
  const first = await run("group_members", all);
  const fewer = [1, 2, 3].map((group) => members(group, 1, 2, 3, 4));
  const most = [members(1, 1, 2, 3), members(2, 1, 2, 3, 4), members(3, 1, 2, 3, 4)];

  const believed = await run("group_members", fewer, first);
  const refused = await run("group_members", most, first);

  expect(believed.refusals).toEqual([]);
  expect(refused.refusals).toHaveLength(1);
  expect(refused.state.bookmarks["group_members"]?.completedAt).toBe("2026-06-01T00:01:00.000Z");
});

test("what was handed over whole takes the place of earlier rows at Airbyte's destinations", async () => {
  const style = AIRBYTE_DELETED;
  const first = await run("enrollments", [training(1, 10, 11, 12, 13, 14)], { style });
  const whole = new DeletedRecords(new SingerWriter(memoryOut()), { style });
  await whole.open(runInfo(first.state), running());
  await whole.declare({ ...declared("enrollments"), whole: true });

  const done = { checkpoint: checkpoint("enrollments"), scopes: [WHOLE] };
  await whole.write(batch("enrollments", [], done));
  const again = await run("enrollments", [training(1, 10, 11, 12, 13)], { ...first, style });
  const users = await run("users", [people(1)], { style });

  expect(whole.refusals).toEqual([]);
  expect(again.rows.at(-1)).toEqual({ enrollment_id: 14, _ab_cdc_deleted_at: AT });
  expect(users.state.bookmarks["users"]).not.toHaveProperty("keys");
});

test("rows whose key is not all numbers are handed on as they are, and none is remembered", async () => {
  const out = memoryOut();
  const sink = new DeletedRecords(new SingerWriter(out), { style: SINGER_DELETED });
  await sink.open(runInfo(), running());
  const members = declared("group_members");
  // As a privacy rule hands it on that hashes the group.
  const columns = members.columns.map((c) =>
    c.name === "group_id" ? { ...c, type: "string" as const } : c,
  );
  await sink.declare({ ...members, columns });

  const done = checkpoint("group_members");
  const row = { group_id: "c0ffee", user_id: 1 };
  const told = await sink.write(
    batch("group_members", [row], { checkpoint: done, scopes: [WHOLE] }),
  );

  expect([...told, ...(await sink.flush())]).toEqual([done]);
  expect(out.text).not.toContain("_sdc_deleted_at");
});

test("any number is believed where that is wanted, also more than there were", async () => {
  const some = await run("group_members", [members(1, 1, 2)]);

  // A group is read, and is found gone by the time the list of groups is compared.
  const rest: Step = { rows: [], scopes: [{ kind: "rest", column: "group_id", listed: [] }] };
  const all = await run("group_members", [members(2, 1, 2, 3), rest], { ...some, most: Infinity });

  expect(all.refusals).toEqual([]);
  expect(all.rows.filter((row) => "_sdc_deleted_at" in row)).toHaveLength(5);
});

test("whatever comes and goes, and wherever runs break off, the target ends with the truth", async () => {
  const truth = fc.uniqueArray(
    fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ max: 9, min: 0 })),
    {
      selector: ([part, id]) => `${part}/${id}`,
      maxLength: 20,
    },
  );
  const days = fc.array(fc.record({ truth, steps: fc.integer({ min: 0, max: 5 }) }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(days, truth, async (before, last) => {
      let state: State = EMPTY_STATE;
      const target = new Map<string, boolean>();
      for (const { truth: now, steps } of [...before, { truth: last, steps: 6 }]) {
        const parts = [...new Set(now.map(([part]) => part))].toSorted((a, b) => a - b);
        const rest: Step = {
          rows: [],
          scopes: [{ kind: "rest", column: "group_id", listed: parts }],
        };
        const idsOf = (of: number) => now.flatMap(([part, id]) => (part === of ? [id] : []));
        const all = [...parts.map((part) => members(part, ...idsOf(part))), rest];
        const told = await run("group_members", all.slice(0, steps), { state, most: Infinity });
        state = told.state;
        for (const row of told.rows as Given[]) {
          target.set([row["group_id"], row["user_id"]].join("/"), !("_sdc_deleted_at" in row));
        }
      }
      const there = [...target].flatMap(([key, isThere]) => (isThere ? [key] : []));
      expect(there.toSorted()).toEqual(last.map((row) => row.join("/")).toSorted());
    }),
  );
});
