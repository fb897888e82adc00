import { expect, test } from "vitest";

import { DAY_MS } from "../../src/core/clock.js";
import { decodeIds } from "../../src/core/idset.js";
import { office } from "./support.js";

/** What a later run makes of what an earlier one left, and of an account that has moved on. */

const UNLIMITED = { per_second: 0, per_minute: 0 };

test("all runs of a day share 2,000 requests and one per seat", async () => {
  const a = await office({ users: 600, tests: 4, trainingCampaigns: 3, paging: "cursor" });
  for (let run = 0; run < 6; run += 1) {
    await a.sync({ rate_limit: UNLIMITED }, ["user_risk_score_history"]);
    a.clock.advance(DAY_MS / 48);
  }

  const [account] = a.simulator.account.rows("account");

  expect(a.simulator.requestCount).toBe(2_000 + Number(account?.["number_of_seats"]));
});

test("memberships that are read group by group go on where the quota ended", async () => {
  const a = await office({ users: 40, tests: 4, trainingCampaigns: 3, paging: "cursor" }, "rows");
  const value = { json: null };
  a.simulator.addFault({
    match: { stream: "users" },
    times: Infinity,
    fault: { kind: "field", field: "groups", value, rows: "all" },
  });
  const settings = { concurrency: 1, rate_limit: { ...UNLIMITED, per_day: 12 } };
  const asked: string[] = [];
  let error: Error | undefined = new Error("not yet");
  for (let run = 0; run < 10 && error !== undefined; run += 1) {
    const ended = await a.sync(settings, ["group_members"]);
    error = ended.error;
    asked.push(...ended.paths.filter((path) => path.includes("/members")));
    a.clock.advance(DAY_MS + 900_000);
  }

  expect(error).toBeUndefined();
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked.length).toBeGreaterThan(12);
  expect(a.tables.get("group_members")?.size).toBe(
    [...a.simulator.account.rows("group_members")].length,
  );
});

test("one list that ignores cursors is read to its end, whatever the others do", async () => {
  const a = await office({ users: 700, tests: 4, trainingCampaigns: 5 }, "rows");
  a.simulator.addFault({
    match: { stream: "enrollments" },
    times: Infinity,
    fault: { kind: "ignoreCursor" },
  });

  await a.sync({}, ["users", "enrollments"]);

  const truth = [...a.simulator.account.rows("enrollments")].length;
  expect(truth).toBeGreaterThan(500);
  expect(a.tables.get("enrollments")?.size).toBe(truth);
});

test("enrollments fail if no campaign's are there, and their bookmark stays", async () => {
  const a = await office({ users: 150, tests: 4, trainingCampaigns: 9, paging: "cursor" }, "rows");
  await a.sync({ page_size: 20 }, ["enrollments"]);
  const before = a.state.bookmarks["enrollments"];
  a.clock.advance(DAY_MS);
  a.simulator.addFault({
    match: { path: /enrollments/ },
    times: Infinity,
    fault: { kind: "status", status: 404 },
  });

  const { error } = await a.sync({ page_size: 20 }, ["enrollments"]);

  expect(error?.message).toMatch(/^enrollments: GET .* answered 404 for all of \d+ parents/);
  expect(a.state.bookmarks["enrollments"]?.completedAt).toBe(before?.completedAt);
});

test("a reading ends though the people that were left have been deleted", async () => {
  const a = await office({ users: 40, tests: 4, trainingCampaigns: 3, paging: "cursor" }, "rows");
  const people = [...a.simulator.account.rows("users")].length;
  const within = (per_day: number) => ({
    concurrency: 1,
    rate_limit: { ...UNLIMITED, per_day },
  });
  await a.sync(within(people), ["user_risk_score_history"]);
  const left = decodeIds(a.state.bookmarks["user_risk_score_history"]?.pass?.todo ?? "");
  for (const id of left) {
    a.simulator.addFault({
      match: { path: `/v1/users/${String(id)}/risk_score_history` },
      times: Infinity,
      fault: { kind: "status", status: 404 },
    });
  }
  a.clock.advance(DAY_MS + 900_000);

  const { error } = await a.sync(within(1_000), ["user_risk_score_history"]);

  expect(left.size).toBeGreaterThanOrEqual(3);
  expect(error).toBeUndefined();
  expect(a.state.bookmarks["user_risk_score_history"]?.pass).toBeNull();
});
