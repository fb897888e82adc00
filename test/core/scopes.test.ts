import { expect, test } from "vitest";

import type { Scope } from "../../src/core/record.js";
import { run, type Ran, type RunOptions } from "../support/run.js";
import { notFound, unavailable, type Script } from "../support/source.js";

/** What a run says it has read completely: beyond that, nothing may be taken for gone. */

const read = (stream: string, script: Script, options: Partial<RunOptions> = {}): Promise<Ran> =>
  run({ streams: [stream], script, ...options });

/** Scopes of a stream, each beside a checkpoint. */
function scopesOf({ sink }: Ran, stream: string): readonly Scope[] {
  const told = sink.batches.filter((b) => b.stream === stream && b.scopes !== undefined);
  expect(told.every((b) => b.checkpoint !== null)).toBe(true);
  return told.flatMap((b) => b.scopes ?? []);
}

const person = (id: unknown, teams: readonly number[] = []) => ({ id, status: "active", teams });
const team = (id: unknown, member_count: number | null) => ({ id, member_count });
const part = (column: string, value: number): Scope => ({ kind: "part", column, value });
const rest = (column: string, ...listed: readonly number[]): Scope => ({
  kind: "rest",
  column,
  listed,
});
const exam = (exam_id: unknown, passed_count = 0) => ({ exam_id, status: "Active", passed_count });

test("a listing that ended is the whole stream", async () => {
  const ran = await read("people", { "/v1/people": [[person(1)], [person(2)]] });

  expect(scopesOf(ran, "people")).toEqual([{ kind: "whole" }]);
});

test("a listing that broke off, or had a row that does not fit, is nothing", async () => {
  const broken = await read("people", { "/v1/people": [[person(1)], unavailable()] });
  const rejected = await read(
    "people",
    { "/v1/people": [[person(1), person(null)]] },
    { settings: { maxRejects: 9 } },
  );

  expect(broken.error?.kind).toBe("unavailable");
  expect(rejected.sink.rejects("people")).toHaveLength(1);
  expect(scopesOf(broken, "people")).toEqual([]);
  expect(scopesOf(rejected, "people")).toEqual([]);
});

test("derived and read parents are complete, and so is what stands below no listed one", async () => {
  const ran = await read("members", {
    "/v1/people": [[person(1, [7, 8])]],
    "/v1/teams": [[team(7, 1), team(8, 2)]],
    "/v1/teams/8/members": [[{ id: 1 }, { id: 5 }]],
  });

  const told = scopesOf(ran, "members");
  expect(told).toEqual([part("team_id", 7), part("team_id", 8), rest("team_id", 7, 8)]);
});

test("a parent of which fewer rows came than it says is not complete", async () => {
  const ran = await read("members", {
    "/v1/people": [[person(1, [7])]],
    "/v1/teams": [[team(7, 1), team(8, 2)]],
    "/v1/teams/8/members": [[{ id: 5 }]],
  });

  expect(scopesOf(ran, "members")).toEqual([part("team_id", 7), rest("team_id", 7, 8)]);
});

test("a parent that has gone since it was listed is neither complete nor unlisted", async () => {
  const ran = await read("results", {
    "/v1/exams": [[exam(1), exam(2)]],
    "/v1/exams/1/results": [[{ result_id: 1 }]],
    "/v1/exams/2/results": [notFound()],
  });

  expect(scopesOf(ran, "results")).toEqual([part("exam_id", 1), rest("exam_id", 1, 2)]);
});

test("of parents that are not listed nothing is said where one has no id", async () => {
  const ran = await run({
    streams: ["exams", "results"],
    script: {
      "/v1/exams": [[exam(1), exam(null)]],
      "/v1/exams/1/results": [[{ result_id: 1 }]],
    },
    settings: { maxRejects: 9 },
  });

  expect(scopesOf(ran, "results")).toEqual([part("exam_id", 1)]);
});

test("what was read below parents before a failure is complete, and no more", async () => {
  const ran = await read("results", {
    "/v1/exams": [[exam(1), exam(2)]],
    "/v1/exams/1/results": [[{ result_id: 1 }]],
    "/v1/exams/2/results": [[{ result_id: 2 }], unavailable()],
  });

  expect(scopesOf(ran, "results")).toEqual([part("exam_id", 1)]);
});

test("parents that were left alone are not said to be complete", async () => {
  const script = {
    "/v1/exams": [[exam(1), exam(2)]],
    "/v1/exams/1/results": [[{ result_id: 1 }]],
    "/v1/exams/2/results": [[{ result_id: 2 }]],
  };
  const { state } = await read("results", script);

  const ran = await read("results", { ...script, "/v1/exams": [[exam(1), exam(2, 1)]] }, { state });

  expect(scopesOf(ran, "results")).toEqual([part("exam_id", 2), rest("exam_id", 1, 2)]);
});

test("a scan is the whole stream, a slice is itself, and slices that are not listed are left", async () => {
  const course = (course_id: number, status: string) => ({
    course_id,
    status,
    end_date: status === "Open" ? null : "2026-01-31T00:00:00Z",
  });
  const rows = [1, 2, 3].flatMap((c) =>
    [1, 2, 3, 4].map((n) => ({ enrolment_id: c * 10 + n, course_id: c })),
  );
  const script = {
    "/v1/courses": [[course(1, "Open"), course(2, "Closed"), course(3, "Closed")]],
    "/v1/enrolments": [rows],
    "/v1/enrolments?course_id=1": [rows.slice(0, 4)],
  };
  const settings = { pageSize: 2 };
  const first = await read("enrolments", script, { settings });

  const next = await read("enrolments", script, { settings, state: first.state, at: 1 });

  expect(scopesOf(first, "enrolments")).toEqual([{ kind: "whole" }]);
  expect(scopesOf(next, "enrolments")).toEqual([part("course_id", 1)]);
});

test("of a dated stream, of which only the last days are handed on, nothing is said", async () => {
  const script = {
    "/v1/scores": [[{ date: "2026-05-30", score: 1 }]],
    "/v1/scores?full=true": [[{ date: "2026-05-30", score: 1 }]],
  };

  const ran = await read("scores", script);

  expect(ran.error).toBeUndefined();
  expect(scopesOf(ran, "scores")).toEqual([]);
});
