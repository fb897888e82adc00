import { expect, test } from "vitest";

import { run, type RunOptions } from "../support/run.js";
import { notFound, unavailable, type Script } from "../support/source.js";

/** Memberships taken from the people's own rows, and proved by the team's count. */

const person = (id: number, teams: unknown, status = "active") => ({ id, status, teams });
const team = (id: number, member_count: number | null) => ({ id, member_count });

const read = (script: Script, options: Partial<RunOptions> = {}) =>
  run({ streams: ["members"], script, ...options });

const pairs = (rows: readonly Readonly<Record<string, unknown>>[]) =>
  rows.map((r) => [r["team_id"], r["person_id"]]);

test("memberships whose number agrees with the team cost no request", async () => {
  const ran = await read({
    "/v1/people": [[person(1, [7, 8]), person(2, [7])], [person(3, [])]],
    "/v1/teams": [[team(8, 1), team(7, 2), team(9, 0)]],
  });

  expect(ran.requests).toEqual(["/v1/teams", "/v1/people", "/v1/people#2"]);
  expect(pairs(ran.rows("members"))).toEqual([
    [8, 1],
    [7, 1],
    [7, 2],
  ]);
});

test("only teams whose number differs, or is not known, are read; rows stay in the team's order", async () => {
  const ran = await read({
    "/v1/people": [[person(1, [7, 8, 9])]],
    "/v1/teams": [[team(7, 2), team(8, 1), team(9, null)]],
    "/v1/teams/7/members": [[{ id: 1 }, { id: 5 }]],
    "/v1/teams/9/members": [[{ id: 1 }]],
  });

  expect(ran.requests.slice(2)).toEqual(["/v1/teams/7/members", "/v1/teams/9/members"]);
  expect(pairs(ran.rows("members"))).toEqual([
    [7, 1],
    [7, 5],
    [8, 1],
    [9, 1],
  ]);
});

test("a person listed twice, because they moved between pages, is not counted twice", async () => {
  // Two different people would make the count of three; one of them was missed.
  const ran = await read({
    "/v1/people": [[person(1, [7]), person(2, [7])], [person(2, [7])]],
    "/v1/teams": [[team(7, 3)]],
    "/v1/teams/7/members": [[{ id: 1 }, { id: 2 }, { id: 3 }]],
  });

  expect(pairs(ran.rows("members"))).toEqual([
    [7, 1],
    [7, 2],
    [7, 3],
  ]);
});

test("people whom the team's count leaves out are left out", async () => {
  const ran = await read({
    "/v1/people": [[person(1, [7]), person(2, [7], "archived")]],
    "/v1/teams": [[team(7, 1)]],
  });

  expect(pairs(ran.rows("members"))).toEqual([[7, 1]]);
});

test("people without a list of teams are in none: the count decides whether that is true", async () => {
  const ran = await read({
    "/v1/people": [[person(1, null), { id: 2 }, person(3, "none"), person(4, [7, 7])]],
    "/v1/teams": [[team(7, 1), team(8, 1)]],
    "/v1/teams/8/members": [[{ id: 1 }]],
  });

  expect(ran.requests.slice(2)).toEqual(["/v1/teams/8/members"]);
});

test("teams given as objects are read like numbers", async () => {
  const ran = await read({
    "/v1/people": [[person(1, [{ id: 7 }, { group_id: "8" }])]],
    "/v1/teams": [[team(7, 1), team(8, 1)]],
  });

  expect(pairs(ran.rows("members"))).toEqual([
    [7, 1],
    [8, 1],
  ]);
});

test("derived rows and read rows have the same columns, and repeat nothing of the person", async () => {
  const ran = await read({
    "/v1/people": [[person(1, [7, 8])]],
    "/v1/teams": [[team(7, 1), team(8, 2)]],
    "/v1/teams/8/members": [[{ id: 1, name: "Ada", adi_managed: true }, { id: 2 }]],
  });

  expect(ran.rows("members")).toEqual([
    { team_id: 7, person_id: 1, _extra: null },
    { team_id: 8, person_id: 1, _extra: null },
    { team_id: 8, person_id: 2, _extra: null },
  ]);
  expect(ran.warnings).toEqual([]);
});

test("told to ask the endpoint, it asks for every team and not for the people", async () => {
  const ran = await read(
    {
      "/v1/teams": [[team(7, 1), team(8, 0)]],
      "/v1/teams/7/members": [[{ id: 1 }]],
      "/v1/teams/8/members": [[]],
    },
    { endpointOnly: new Set(["members"]) },
  );

  expect(ran.requests).toEqual(["/v1/teams", "/v1/teams/7/members", "/v1/teams/8/members"]);
});

test("a count that the endpoint contradicts is said", async () => {
  const ran = await read({
    "/v1/people": [[]],
    "/v1/teams": [[team(7, 3)]],
    "/v1/teams/7/members": [[{ id: 1 }], [{ id: 2 }]],
  });

  expect(ran.status("members")).toBe("complete");
  expect(ran.warnings).toEqual(["parent 7 says 3 rows, 2 came"]);
});

test("a team that went away is skipped and said; the others are handed on", async () => {
  const ran = await read({
    "/v1/people": [[person(1, [8])]],
    "/v1/teams": [[team(7, 3), team(8, 1)]],
    "/v1/teams/7/members": [notFound()],
  });

  expect(pairs(ran.rows("members"))).toEqual([[8, 1]]);
  expect(ran.warnings).toEqual(["parent 7 has gone since it was listed: skipped"]);
});

test("without the people nothing is derived: the stream is skipped and names what failed", async () => {
  const ran = await read({ "/v1/people": [unavailable()], "/v1/teams": [[team(7, 0)]] });

  expect(ran.status("members")).toBe("skipped");
  expect(ran.outcomes.at(-1)?.error?.message).toBe("members: not read, because people failed");
  expect(ran.bookmark("members")).toBeUndefined();
});
