import { expect, test, vi } from "vitest";

import { stringify, type Json } from "../../src/core/json.js";
import { run } from "../support/run.js";
import { recordingSink } from "../support/sink.js";
import { scriptedSource, unavailable } from "../support/source.js";

/** Number of the invariant in each name: what the engine promises whatever happens. */

const CANARY = "canary-4711";

const person = (id: number, more: object = {}) => ({ id, name: "Ada", status: "active", ...more });

test("1: state never leads data: what the sink does not acknowledge is not in the state", async () => {
  const sink = recordingSink({ acknowledge: "never" });

  const ran = await run({
    streams: ["people"],
    script: { "/v1/people": [[person(1)]] },
    sink,
    state: { version: 1, bookmarks: { people: { completedAt: "2026-05-01T00:00:00.000Z" } } },
  });

  expect(ran.rows("people")).toHaveLength(1);
  expect(ran.state.bookmarks).toEqual({ people: { completedAt: "2026-05-01T00:00:00.000Z" } });
});

test("1: state never leads data: a checkpoint comes after every row that it stands for", async () => {
  const ran = await run({
    streams: ["results"],
    script: {
      "/v1/exams": [[{ exam_id: 1 }, { exam_id: 2 }]],
      "/v1/exams/1/results": [[{ result_id: 1 }], [{ result_id: 2 }]],
      "/v1/exams/2/results": [[{ result_id: 3 }]],
    },
  });

  const last = ran.sink.batches.at(-1);
  expect(Object.keys(last?.checkpoint?.bookmark.parts ?? {})).toEqual(["1", "2"]);
  expect(ran.sink.durable("results")).toHaveLength(3);
});

test("2: at least once: a row dated like the bookmark is handed on again", async () => {
  const ran = await run({
    streams: ["scores"],
    script: { "/v1/scores": [[{ date: "2026-05-28" }, { date: "2026-05-31" }]] },
    state: {
      version: 1,
      bookmarks: { scores: { completedAt: "2026-05-31T00:00:00.000Z", cursor: "2026-05-31" } },
    },
  });

  expect(ran.rows("scores").map((r) => r["date"])).toEqual(["2026-05-28", "2026-05-31"]);
});

test("3: safe places only: an unordered listing checkpoints once, after its last page", async () => {
  const ran = await run({
    streams: ["people"],
    script: { "/v1/people": [[person(1)], [person(2)], [person(3)]] },
  });

  const checkpoints = ran.sink.batches.map((b) => b.checkpoint !== null);
  expect(checkpoints).toEqual([false, false, false, true]);
});

test("3: safe places only: a listing cut off in the middle leaves the bookmark where it was", async () => {
  const before = { completedAt: "2026-05-01T00:00:00.000Z" };

  const ran = await run({
    streams: ["people"],
    script: { "/v1/people": [[person(1)], unavailable()] },
    state: { version: 1, bookmarks: { people: before } },
  });

  expect(ran.rows("people")).toHaveLength(1);
  expect(ran.bookmark("people")).toEqual(before);
});

test("4: no quiet loss: a row that does not fit fails its stream", async () => {
  const ran = await run({
    streams: ["people"],
    script: { "/v1/people": [[person(1), { id: null }, person(3)]] },
  });

  expect(ran.status("people")).toBe("failed");
  expect(ran.error?.kind).toBe("bad_record");
  expect(ran.bookmark("people")).toBeUndefined();
});

test("4: no quiet loss: within the budget a row that does not fit is counted and handed on apart", async () => {
  const ran = await run({
    streams: ["people"],
    script: { "/v1/people": [[person(1), { id: null }, person(3)]] },
    settings: { maxRejects: 1 },
  });

  expect(ran.outcomes).toMatchObject([
    { stream: "people", status: "partial", rows: 2, rejected: 1 },
  ]);
  expect(ran.sink.rejects("people")).toEqual([
    { reason: "people: id is empty, and identifies the row", raw: { id: null } },
  ]);
});

test("4: no quiet loss: a parent that cannot be addressed is not passed over in silence", async () => {
  const ran = await run({
    streams: ["results"],
    script: {
      "/v1/exams": [[{ exam_id: null }, { exam_id: 2 }]],
      "/v1/exams/2/results": [[{ result_id: 3 }]],
    },
  });

  expect(ran.error?.kind).toBe("bad_record");
  expect(ran.status("results")).toBe("skipped");
});

test("5: null is a value: what is absent becomes null and nothing else", async () => {
  const ran = await run({ streams: ["people"], script: { "/v1/people": [[{ id: 1 }]] } });

  const [row] = ran.rows("people");
  expect(Object.keys(row ?? {})).toEqual([
    ...["id", "name", "status", "managed", "logins", "score", "joined_on", "born"],
    ...["boss", "aliases", "teams", "jobs", "_extra"],
  ]);
  const { id, ...others } = row ?? {};
  expect(id).toBe(1);
  expect(new Set(Object.values(others))).toEqual(new Set([null]));
});

test("6: bounded memory: a page is asked for only after the sink has taken the one before", async () => {
  const seen: string[] = [];
  const source = scriptedSource(
    { "/v1/people": [[person(1)], [person(2)], [person(3)]] },
    { onRequest: (request) => seen.push(request) },
  );
  const sink = recordingSink({ onCall: (name) => seen.push(name) });

  await run({ streams: ["people"], source, sink });

  expect(seen.filter((s) => s.includes("people"))).toEqual([
    ...["declare people", "/v1/people", "write people", "/v1/people#2", "write people"],
    ...["/v1/people#3", "write people", "write people", "end people"],
  ]);
});

test("6: bounded memory: below parents no more pages are under way than the concurrency", async () => {
  const parents = Array.from({ length: 20 }, (_, i) => ({ exam_id: i }));
  let taken = 0;
  let ahead = 0;
  const source = scriptedSource(
    Object.fromEntries([
      ["/v1/exams", [parents]],
      ...parents.map((p) => [`/v1/exams/${String(p.exam_id)}/results`, [[{ result_id: 1 }]]]),
    ]),
    {
      onRequest: () => {
        ahead = Math.max(ahead, source.requests.length - 1 - taken);
      },
    },
  );
  const sink = recordingSink({ onCall: (name) => (taken += name === "write results" ? 1 : 0) });

  await run({ streams: ["results"], source, sink, settings: { concurrency: 3 } });

  expect(source.requests).toHaveLength(21);
  expect(ahead).toBeLessThanOrEqual(3);
});

test("6: bounded memory: derived rows travel in batches of a page", async () => {
  const ran = await run({
    streams: ["members"],
    script: {
      "/v1/people": [[1, 2, 3, 4, 5].map((id) => person(id, { teams: [7] }))],
      "/v1/teams": [[{ id: 7, member_count: 5 }]],
    },
    settings: { pageSize: 2 },
  });

  expect(ran.rows("members")).toHaveLength(5);
  expect(ran.sink.batches.map((b) => b.rows.length)).toEqual([2, 2, 1, 0]);
});

test("7: a failing stream does not stop the others", async () => {
  const ran = await run({
    streams: ["people", "exams", "scores"],
    script: {
      "/v1/scores": [[{ date: "2026-05-31" }]],
      "/v1/people": [unavailable()],
      "/v1/exams": [[{ exam_id: 1 }]],
    },
  });

  expect(ran.outcomes.map((o) => `${o.stream} ${o.status}`)).toEqual([
    ...["scores complete", "people failed", "exams complete"],
  ]);
  expect(Object.keys(ran.state.bookmarks)).toEqual(["scores", "exams"]);
});

test("7: a failing sink stops the run: nothing more is read, written or flushed", async () => {
  const sink = recordingSink({ failAt: 4 });

  const ran = await run({
    streams: ["people", "exams"],
    script: { "/v1/people": [[person(1)], [person(2)]], "/v1/exams": [[{ exam_id: 1 }]] },
    sink,
  });

  expect(ran.error?.kind).toBe("destination");
  expect(ran.requests).toEqual(["/v1/people"]);
  expect(sink.calls).toEqual(["open", "declare people", "declare exams", "write people"]);
  expect(sink.disposed).toBe(true);
  expect(ran.state.bookmarks).toEqual({});
});

test("8: stdout belongs to the protocol: the engine prints nothing, whatever happens", async () => {
  const out = vi.spyOn(process.stdout, "write");
  const err = vi.spyOn(process.stderr, "write");

  await run({
    streams: ["people", "exams"],
    script: { "/v1/people": [[person(1, { odd: 1 })], unavailable()], "/v1/exams": [[{}]] },
  });

  const printed = [...out.mock.calls, ...err.mock.calls];
  out.mockRestore();
  err.mockRestore();
  expect(printed).toEqual([]);
});

test("9: no person's data leaves through events, outcomes, errors or the state", async () => {
  const ran = await run({
    streams: ["people", "teams", "exams", "enrolments"],
    script: {
      "/v1/people": [[person(1, { name: CANARY, born: CANARY, note: CANARY, logins: CANARY })]],
      "/v1/teams": [[{ id: CANARY }, CANARY]],
      "/v1/exams": [[{ exam_id: 1, status: CANARY, passed_count: [CANARY] }]],
      "/v1/courses": [[{ course_id: 1, name: CANARY }]],
      "/v1/enrolments": [[{ enrolment_id: 1, course_id: 1, status: CANARY }]],
    },
  });

  expect(ran.status("people")).toBe("failed");
  expect(ran.error?.kind).toBe("bad_record");
  const told = [ran.events, ran.outcomes, ran.state, ran.error?.message, ran.error?.context];
  expect(stringify(told as unknown as Json)).not.toContain(CANARY);
});

test("9: no person's data leaves through the state of a run that was complete", async () => {
  const ran = await run({
    streams: ["people", "members", "results", "enrolments"],
    script: {
      "/v1/people": [[person(1, { name: CANARY, teams: [7] })]],
      "/v1/teams": [[{ id: 7, name: CANARY, member_count: 1 }]],
      "/v1/exams": [[{ exam_id: 1, status: CANARY }]],
      "/v1/exams/1/results": [[{ result_id: 1, [CANARY]: null, note: CANARY }]],
      "/v1/courses": [[{ course_id: 1, name: CANARY, status: "Open" }]],
      "/v1/enrolments": [[{ enrolment_id: 1, course_id: 1, status: CANARY }]],
    },
  });

  expect(ran.error).toBeUndefined();
  expect(stringify(ran.state as unknown as Json)).not.toContain(CANARY);
});

test("10: output is deterministic: a slow answer does not move a row", async () => {
  const parents = [3, 1, 2].map((exam_id) => ({ exam_id }));
  const script = {
    "/v1/exams": [parents],
    "/v1/exams/3/results": [[{ result_id: 1 }], [{ result_id: 2 }]],
    "/v1/exams/1/results": [[{ result_id: 3 }]],
    "/v1/exams/2/results": [[{ result_id: 4 }]],
  };
  const slow = scriptedSource(script, { turns: (request) => (request.includes("/3/") ? 20 : 0) });

  const one = await run({ streams: ["results"], script, settings: { concurrency: 1 } });
  const many = await run({ streams: ["results"], source: slow, settings: { concurrency: 8 } });

  expect(many.sink.text()).toBe(one.sink.text());
  expect(many.rows("results").map((r) => r["exam_id"])).toEqual([3, 3, 1, 2]);
});
