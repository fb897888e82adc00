import { expect, test } from "vitest";

import { columnsOf } from "../../src/core/columns.js";
import { DAY_MS } from "../../src/core/clock.js";
import { canonical } from "../../src/core/json.js";
import { normaliser, rowShape, type Normalised } from "../../src/core/normalise.js";
import type { Row } from "../../src/core/record.js";
import type { StreamName } from "../../src/simulator/index.js";
import { STREAMS } from "../../streams/index.js";
import { office, type Office } from "./support.js";

/** What changes at the source is in the tables after the next run; the rest, after a known time. */

const SMALL = { users: 150, tests: 10, trainingCampaigns: 9 } as const;

/** Rows of a stream as the account knows them, and as the tables hold them. */
function compared(a: Office, stream: StreamName) {
  const def = STREAMS.find(({ name }) => name === stream);
  if (def === undefined) throw new Error(`no stream ${stream}`);
  const normalise = normaliser(rowShape(def, columnsOf(def)), () => undefined);
  const into: Normalised = { rows: [], rejects: [] };
  for (const row of a.simulator.account.rows(stream)) normalise(row, {}, into);
  const keyOf = (row: Row) => canonical(def.primaryKey.map((name) => row[name] ?? null));
  const lines = (rows: Iterable<Row>) => [...rows].map((row) => canonical(row)).sort();
  const truth = new Map(into.rows.map((row) => [keyOf(row), row]));
  const table = a.tables.get(stream) ?? new Map<string, Row>();
  // What is gone at the source stays in a table that only merges.
  const held = [...table.values()].filter((row) => truth.has(keyOf(row)));
  return { truth: lines(truth.values()), held: lines(held), stale: table.size - held.length };
}

const RECIPIENTS = "security_test_recipients";

/** The change, and the streams in which it shows. */
const CHANGES = [
  ["clickInOpenTest", ["security_tests", RECIPIENTS]],
  ["removeFailure", ["security_tests", RECIPIENTS]],
  ["passEnrollment", ["enrollments"]],
  ["resetEnrollment", ["enrollments"]],
  ["deleteEnrollment", ["enrollments"]],
  ["archiveUser", ["users", "groups", "group_members"]],
  ["moveUser", ["users", "groups", "group_members"]],
  ["renameGroup", ["groups"]],
  ["editTrainingCampaign", ["training_campaigns", "enrollments"]],
  ["eraseUser", ["users", "groups", "group_members"]],
] as const;

test.each(CHANGES)("%s is caught by the next run", async (kind, streams) => {
  const a = await office(SMALL, "rows");
  await a.sync();

  const change = a.simulator.account.change(kind);
  const before = streams.map((stream) => compared(a, stream));
  a.clock.advance(DAY_MS);
  const ran = await a.sync();

  expect(change).toBeDefined();
  expect(ran.error).toBeUndefined();
  expect(before.some(({ truth, held, stale }) => stale > 0 || truth.join() !== held.join())).toBe(
    true,
  );
  for (const stream of streams) {
    const { truth, held } = compared(a, stream);
    expect(held, stream).toEqual(truth);
  }
});

test("an enrollment that is overdue has no instant of its own, and is caught all the same", async () => {
  const a = await office(SMALL, "rows");
  await a.sync();
  const overdue = () =>
    [...a.simulator.account.rows("enrollments")].filter((row) => row["status"] === "Past Due");
  const before = overdue().length;

  do a.simulator.advance(1);
  while (overdue().length === before);
  a.clock.advance(a.simulator.account.day * DAY_MS);
  await a.sync();

  const { truth, held } = compared(a, "enrollments");
  expect(held).toEqual(truth);
});

test("anonymising somebody changes no count, and their closed tests follow within reverify_days", async () => {
  const a = await office(SMALL, "rows");
  await a.sync();
  const rows = a.tables.get(RECIPIENTS)?.size;
  a.simulator.account.eraseUser();

  for (const days of [1, 28]) {
    a.clock.advance(days * DAY_MS);
    await a.sync({ reverify_days: 30 });
  }
  const within = compared(a, RECIPIENTS);
  a.clock.advance(DAY_MS);
  await a.sync({ reverify_days: 30 });
  const after = compared(a, RECIPIENTS);

  // No counter of a closed test moves: nothing but the slow cycle can see it, on its 30th day.
  expect(within.held).not.toEqual(within.truth);
  expect(after.held).toEqual(after.truth);
  expect(a.tables.get(RECIPIENTS)?.size).toBe(rows);
  const { held, truth } = compared(a, "enrollments");
  expect(held).toEqual(truth);
});

test("an enrollment of a campaign long closed is seen by the slow cycle alone", async () => {
  const a = await office(SMALL, "rows");
  // Small pages: else one scan of so small an account is cheaper than any choice.
  const settings = { page_size: 20, reverify_days: 30 };
  await a.sync(settings);
  const closed = [...a.simulator.account.rows("training_campaigns")].find(
    (row) => row["status"] !== "In Progress",
  );
  const change = a.simulator.account.resetEnrollment({
    campaign_id: Number(closed?.["campaign_id"]),
  });

  a.clock.advance(29 * DAY_MS);
  await a.sync(settings);
  const within = compared(a, "enrollments");
  a.clock.advance(DAY_MS);
  await a.sync(settings);
  const after = compared(a, "enrollments");

  expect(change).toBeDefined();
  expect(within.held).not.toEqual(within.truth);
  expect(after.held).toEqual(after.truth);
});
