import { expect, test } from "vitest";

import { columnsOf } from "../../src/core/columns.js";
import { DAY_MS, iso } from "../../src/core/clock.js";
import { canonical } from "../../src/core/json.js";
import { normaliser, rowShape, type Normalised } from "../../src/core/normalise.js";
import type { Simulator, StreamName } from "../../src/simulator/index.js";
import { STREAMS } from "../../streams/index.js";
import { office, type Office } from "../budget/support.js";
import { desk, type Desk } from "./support.js";

type ChangeKind = Parameters<Simulator["account"]["change"]>[0];

/** An account over several days, read once a day: each day can be asked for afterwards. */

const ASKED = [
  ...["users", "groups", "group_members", "security_tests", "security_test_recipients"],
  ...["enrollments", "training_campaigns"],
] as readonly StreamName[];

/** What happens before each day's reading. */
const DAYS: readonly (readonly ChangeKind[])[] = [
  [],
  ["clickInOpenTest", "passEnrollment", "renameGroup"],
  [],
  ["archiveUser", "moveUser", "deleteEnrollment", "editTrainingCampaign"],
  ["removeFailure", "resetEnrollment"],
];

const columns = (stream: StreamName) => {
  const def = STREAMS.find(({ name }) => name === stream);
  if (def === undefined) throw new Error(`no stream ${stream}`);
  return {
    def,
    names: columnsOf(def)
      .map(({ name }) => name)
      .filter((n) => n !== "_observed_at"),
  };
};

/** Rows of a stream as the account knows them now. */
function truth({ simulator }: Office, stream: StreamName): readonly string[] {
  const { def } = columns(stream);
  const normalise = normaliser(rowShape(def, columnsOf(def)), () => undefined);
  const into: Normalised = { rows: [], rejects: [] };
  for (const row of simulator.account.rows(stream)) normalise(row, {}, into);
  return into.rows.map((row) => canonical(row)).toSorted();
}

/** Rows of a stream as they were at an instant. */
async function asOf({ query }: Desk, stream: StreamName, at: string): Promise<readonly string[]> {
  const { names } = columns(stream);
  const rows = await query(
    `SELECT ${names.join(", ")} FROM ${stream}
    WHERE _kb4_valid_from <= '${at}' AND ('${at}' < _kb4_valid_to OR _kb4_valid_to IS NULL)`,
  );
  return rows.map((row) => canonical(row)).toSorted();
}

test("each day's truth can be asked for afterwards, at any time until the next reading", async () => {
  const account = await office({ users: 60, tests: 6, trainingCampaigns: 6 });
  const given = await desk();
  const truths: { at: string; late: string; rows: Record<string, readonly string[]> }[] = [];

  for (const changes of DAYS) {
    for (const kind of changes) expect(account.simulator.account.change(kind)).toBeDefined();
    const rows = Object.fromEntries(ASKED.map((stream) => [stream, truth(account, stream)]));
    const now = account.clock.now();
    truths.push({ at: iso(now), late: iso(now + DAY_MS - 1), rows });
    const loader = given.loader({ mode: "history", clock: account.clock, maxVanishedRatio: 1 });
    await loader.prepare();
    const { error } = await account.sync({}, ASKED, loader);
    expect(error).toBeUndefined();
    account.simulator.advance(1);
    account.clock.advance(
      truths.length * DAY_MS - (account.clock.now() - Date.parse(truths[0]!.at)),
    );
  }

  for (const { at, late, rows } of truths) {
    for (const stream of ASKED) {
      expect(await asOf(given, stream, at), `${stream} at ${at}`).toEqual(rows[stream]);
      expect(await asOf(given, stream, late), `${stream} at ${late}`).toEqual(rows[stream]);
    }
  }
  // The days differ, so it is no accident.
  const [first, last] = [truths[0]!, truths.at(-1)!];
  for (const stream of ["users", "groups", "enrollments"]) {
    expect(first.rows[stream]).not.toEqual(last.rows[stream]);
  }
  expect(await given.query("SELECT count(*)::INT AS n FROM users_current")).toEqual([
    { n: last.rows["users"]!.length },
  ]);
}, 120_000);
