import { expect, test } from "vitest";

import { DAY_MS } from "../../src/core/clock.js";
import type { StreamName } from "../../src/simulator/index.js";
import { office, type Office, type Ran } from "./support.js";

/** A reading below many parents takes as many runs as the quota makes of it. */

const SMALL = { users: 40, tests: 8, trainingCampaigns: 9 } as const;

/** Runs, a day apart, until one is complete. */
async function untilComplete(
  a: Office,
  perDay: number,
  streams: readonly string[],
  more: object = {},
): Promise<readonly Ran[]> {
  const settings = {
    concurrency: 1,
    rate_limit: { per_second: 0, per_minute: 0, per_day: perDay },
  };
  const runs: Ran[] = [];
  do {
    if (runs.length > 0) a.clock.advance(DAY_MS + 900_000);
    runs.push(await a.sync({ ...settings, ...more }, streams));
    expect(runs.at(-1)?.requests).toBeLessThanOrEqual(perDay);
  } while (runs.at(-1)?.error?.kind === "quota" && runs.length < 30);
  expect(runs.at(-1)?.error).toBeUndefined();
  return runs;
}

/** What was asked for below parents or slices, each time. */
const asked = (runs: readonly Ran[], part: string): readonly string[] =>
  runs.flatMap((run) => run.paths.filter((path) => path.includes(part)));

const count = (a: Office, stream: StreamName): number =>
  [...a.simulator.account.rows(stream)].length;

test.each([
  ["user_risk_score_history", "/risk_score_history", 12, {}],
  ["group_risk_score_history", "/risk_score_history", 12, {}],
  ["group_members", "/members", 12, { group_members: "endpoint" }],
  ["security_test_recipients", "/recipients", 5, {}],
] as const)(
  "%s goes on without asking for a finished parent again",
  async (stream, part, perDay, more) => {
    const a = await office({ ...SMALL, paging: "cursor" }, "rows");

    const runs = await untilComplete(a, perDay, [stream], more);

    const paths = asked(runs, part);
    expect(runs.length).toBeGreaterThan(2);
    expect(new Set(paths).size).toBe(paths.length);
    expect(a.tables.get(stream)?.size).toBe(count(a, stream));
  },
);

test("the parents' own listing is not read again for the sake of what is left", async () => {
  const a = await office({ ...SMALL, paging: "cursor" });

  const runs = await untilComplete(a, 12, ["user_risk_score_history"]);

  expect(asked(runs, "/v1/users?")).toHaveLength(2); // the listing and the probe, in the first run
  const after = await a.sync({}, ["user_risk_score_history"]);
  expect(asked([after], "/v1/users?")).toHaveLength(2);
  expect(asked([after], "/risk_score_history").length).toBe(count(a, "users"));
});

test("a scan of all enrollments that the quota cuts short goes on campaign by campaign", async () => {
  const a = await office({ ...SMALL, paging: "cursor" }, "rows");

  const runs = await untilComplete(a, 7, ["enrollments"], { page_size: 60 });

  const slices = asked(runs.slice(1), "campaign_id=");
  const firsts = slices.filter((path) => path.includes("cursor=true"));
  expect(asked(runs.slice(1), "/enrollments").length).toBe(slices.length);
  expect(firsts.length).toBeGreaterThan(8);
  expect(a.tables.get("enrollments")?.size).toBe(count(a, "enrollments"));
  expect(a.state.bookmarks["enrollments"]).toMatchObject({ pass: null });
});

test("a person whose history was read on the first of several days is read from that day on", async () => {
  const a = await office({ ...SMALL, paging: "cursor" }, "rows");
  const runs = await untilComplete(a, 20, ["user_risk_score_history"]);
  a.simulator.advance(20);
  a.clock.advance(20 * DAY_MS);

  await a.sync({}, ["user_risk_score_history"]);

  expect(runs.length).toBeGreaterThan(2);
  expect(a.tables.get("user_risk_score_history")?.size).toBe(count(a, "user_risk_score_history"));
});
