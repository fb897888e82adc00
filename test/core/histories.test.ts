import { expect, test } from "vitest";

import { decodeIds } from "../../src/core/idset.js";
import type { State } from "../../src/core/state.js";
import { run, type RunOptions } from "../support/run.js";
import { notFound, type Script } from "../support/source.js";

/** Dated streams: look-back, the widened query, and a bookmark that never moves back. */

const on = (...dates: readonly string[]) => dates.map((date) => ({ date, score: 1 }));

/** The state of a run that got as far as this day. */
const upTo = (cursor: string, known?: string): State => ({
  version: 1,
  bookmarks: {
    scores: { completedAt: "2026-05-31T00:00:00.000Z", cursor },
    team_scores: {
      completedAt: "2026-05-31T00:00:00.000Z",
      cursor,
      ...(known === undefined ? {} : { known }),
    },
  },
});

const read = (script: Script, options: Partial<RunOptions> = {}) =>
  run({ streams: ["scores"], script, ...options });

const dates = (rows: readonly Readonly<Record<string, unknown>>[]) => rows.map((r) => r["date"]);

test("the first load asks for the whole history", async () => {
  const ran = await read({ "/v1/scores?full=true": [on("2020-01-01", "2026-05-31")] });

  expect(ran.requests).toEqual(["/v1/scores?full=true"]);
  expect(dates(ran.rows("scores"))).toEqual(["2020-01-01", "2026-05-31"]);
  expect(ran.bookmark("scores")?.cursor).toBe("2026-05-31");
});

test("later rows from a few days before the bookmark on are handed on, in any order", async () => {
  const ran = await read(
    { "/v1/scores": [on("2026-06-01", "2026-05-28", "2026-05-27", "2026-05-31")] },
    { state: upTo("2026-05-31") },
  );

  expect(ran.requests).toEqual(["/v1/scores"]);
  expect(dates(ran.rows("scores"))).toEqual(["2026-06-01", "2026-05-28", "2026-05-31"]);
  expect(ran.bookmark("scores")?.cursor).toBe("2026-06-01");
});

test("after a gap that the short answer does not span, the whole history is asked for", async () => {
  const script = { "/v1/scores": [on("2026-05-31")] };

  const short = await read(script, { state: upTo("2026-01-02") });
  const long = await read(script, { state: upTo("2026-01-01") });

  expect(short.requests).toEqual(["/v1/scores"]); // 150 days
  expect(long.requests).toEqual(["/v1/scores?full=true"]); // 151 days
});

test("a date to come is handed on but never becomes the bookmark", async () => {
  const ran = await read(
    { "/v1/scores": [on("2026-06-01", "2026-06-02", "9999-12-31")] },
    { state: upTo("2026-05-31") },
  );

  expect(ran.rows("scores")).toHaveLength(3);
  expect(ran.bookmark("scores")?.cursor).toBe("2026-06-01");
});

test("the bookmark never moves back", async () => {
  const ran = await read(
    { "/v1/scores": [on("2026-05-29")] },
    { state: upTo("2026-05-31"), at: "2026-06-01T00:00:00Z" },
  );

  expect(ran.bookmark("scores")?.cursor).toBe("2026-05-31");
});

test("a bookmark ahead of the clock does not hide rows of today", async () => {
  const ran = await read({ "/v1/scores": [on("2026-06-01")] }, { state: upTo("2027-01-01") });

  expect(dates(ran.rows("scores"))).toEqual(["2026-06-01"]);
});

test("a history without rows completes without a bookmark, and is asked for in full again", async () => {
  const empty = await read({ "/v1/scores": [[]] });

  const next = await read({ "/v1/scores": [on("2020-01-01")] }, { state: empty.state });

  expect(empty.bookmark("scores")).toEqual({
    completedAt: "2026-06-01T00:00:00.000Z",
    cursor: null,
    rows: 0,
  });
  expect(next.requests).toEqual(["/v1/scores?full=true"]);
  expect(next.rows("scores")).toHaveLength(1);
});

test("rows before the start date are not handed on", async () => {
  const script = { "/v1/scores": [on("2025-12-31", "2026-01-01", "2026-05-31")] };

  const first = await read(script, { settings: { startDate: "2026-01-01" } });
  const later = await read(script, {
    settings: { startDate: "2026-01-01" },
    state: upTo("2026-01-02"),
  });

  expect(dates(first.rows("scores"))).toEqual(["2026-01-01", "2026-05-31"]);
  expect(dates(later.rows("scores"))).toEqual(["2026-01-01", "2026-05-31"]);
});

test("below parents, only those not seen before are asked for their whole history", async () => {
  const script = {
    "/v1/teams": [[{ id: 1 }, { id: 2 }]],
    "/v1/teams/1/scores": [on("2020-01-01", "2026-05-31")],
    "/v1/teams/2/scores": [on("2020-01-01", "2026-05-31")],
  };
  const one = { ...script, "/v1/teams": [[{ id: 1 }]] };
  const streams = ["team_scores"];
  const first = await read(one, { streams });

  const ran = await read(script, { streams, state: first.state, at: 1 });

  expect(ran.requests.slice(1)).toEqual(["/v1/teams/1/scores", "/v1/teams/2/scores?full=true"]);
  expect(dates(ran.rows("team_scores"))).toEqual(["2026-05-31", "2020-01-01", "2026-05-31"]);
  expect([...decodeIds(ran.bookmark("team_scores")?.known ?? "")]).toEqual([1, 2]);
});

test("while no parent has a history yet, all of them are asked for it in full", async () => {
  const streams = ["team_scores"];
  const teams = { "/v1/teams": [[{ id: 1 }]] };
  const empty = await read({ ...teams, "/v1/teams/1/scores": [[]] }, { streams });

  const ran = await read(
    { ...teams, "/v1/teams/1/scores": [on("2020-01-01")] },
    { streams, state: empty.state },
  );

  expect(ran.requests[1]).toBe("/v1/teams/1/scores?full=true");
});

test("a parent that went away is said, and is new when it comes back", async () => {
  const script = {
    "/v1/teams": [[{ id: 1 }, { id: 2 }]],
    "/v1/teams/1/scores": [on("2026-05-31")],
    "/v1/teams/2/scores": [notFound()],
  };

  const ran = await read(script, { streams: ["team_scores"] });

  expect(ran.warnings).toEqual(["parent 2 has gone since it was listed: skipped"]);
  expect([...decodeIds(ran.bookmark("team_scores")?.known ?? "")]).toEqual([1]);
});

test("a row whose date is not a day is rejected: the date is its key", async () => {
  const ran = await read({ "/v1/scores": [on("31.05.2026")] });

  expect(ran.error?.message).toBe("scores: date is not a day; 1 rejected");
});
