import { expect, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import type { State } from "../../src/core/state.js";
import { run } from "../support/run.js";
import { recordingSink } from "../support/sink.js";
import { notFound, quotaSpent, refused, scriptedSource, unavailable } from "../support/source.js";

/** What a failure of the source, or of the sink, gives up and what it keeps. */

const before: State = {
  version: 1,
  bookmarks: {
    people: { completedAt: "2026-05-01T00:00:00.000Z" },
    unplanned: { completedAt: "2026-04-01T00:00:00.000Z" },
  },
};

const fine = {
  "/v1/scores": [[{ date: "2026-05-31" }]],
  "/v1/scores?full=true": [[{ date: "2026-05-31" }]],
  "/v1/people": [[{ id: 1 }]],
  "/v1/exams": [[{ exam_id: 1 }]],
};

test("a stream that fails keeps its old bookmark; the others move theirs", async () => {
  const ran = await run({
    streams: ["scores", "people", "exams"],
    script: { ...fine, "/v1/people": [[{ id: 1 }], unavailable()] },
    state: before,
  });

  expect(ran.error?.kind).toBe("unavailable");
  expect(ran.state.bookmarks).toEqual({
    ...before.bookmarks,
    scores: { completedAt: "2026-06-01T00:00:00.000Z", cursor: "2026-05-31", rows: 1 },
    exams: { completedAt: "2026-06-01T00:00:00.000Z", rows: 1 },
  });
});

test("the error of a run is the worst of its streams", async () => {
  const forbidden = new ConnectorError("forbidden", "403", { context: { status: 403 } });

  const ran = await run({
    streams: ["scores", "people", "exams"],
    script: {
      "/v1/scores?full=true": [unavailable()],
      "/v1/people": [forbidden],
      "/v1/exams": [unavailable()],
    },
  });

  expect(ran.error).toBe(forbidden);
  expect(ran.outcomes.map((o) => o.status)).toEqual(["failed", "failed", "failed"]);
});

test("requests that are under way when a stream fails are given up", async () => {
  const inner = scriptedSource({
    "/v1/exams": [[{ exam_id: 1 }, { exam_id: 2 }]],
    "/v1/exams/1/results": [unavailable()],
    "/v1/exams/2/results": [[{ result_id: 2 }]],
  });
  const signals: AbortSignal[] = [];
  const source: typeof inner = {
    ...inner,
    pages(listing, signal) {
      signals.push(signal);
      return inner.pages(listing, signal);
    },
  };

  await run({ streams: ["results"], source });

  expect(signals.map((s) => s.aborted)).toEqual([true, true, true]);
});

test("a failing parent skips its children and says so", async () => {
  const ran = await run({
    streams: ["results", "exams", "people"],
    script: { ...fine, "/v1/exams": [unavailable()] },
  });

  expect(ran.outcomes.map((o) => [o.stream, o.status, o.error?.message])).toEqual([
    ["exams", "failed", "GET answered 503 five times"],
    ["results", "skipped", "results: not read, because exams failed"],
    ["people", "complete", undefined],
  ]);
});

test("a parent that is read only for its children has an outcome if it fails", async () => {
  const ran = await run({ streams: ["results"], script: { "/v1/exams": [unavailable()] } });

  expect(ran.outcomes.map((o) => `${o.stream} ${o.status}`)).toEqual([
    "exams failed",
    "results skipped",
  ]);
  expect(ran.sink.ended.map((o) => o.stream)).toEqual(["results"]);
});

test.each([
  ["the key is refused", refused()],
  ["the quota is spent", quotaSpent()],
])("when %s nothing more is asked for, and what is complete is flushed", async (_, failure) => {
  const ran = await run({
    streams: ["scores", "people", "exams"],
    script: { ...fine, "/v1/people": [failure] },
    sink: recordingSink({ acknowledge: "at flush" }),
  });

  expect(ran.requests).toEqual(["/v1/scores?full=true", "/v1/people"]);
  expect(ran.outcomes.map((o) => `${o.stream} ${o.status}`)).toEqual([
    ...["scores complete", "people failed", "exams skipped"],
  ]);
  expect([ran.error, ran.error?.cause]).toContain(failure);
  expect(Object.keys(ran.state.bookmarks)).toEqual(["scores"]);
  expect(ran.sink.calls.at(-1)).toBe("flush");
});

test("a spent quota says what is complete, what remains and how much can go on when", async () => {
  const possible = "2 at 2026-06-02T00:15Z, 7 at 2026-06-02T01:00Z";
  const spent = new ConnectorError("quota", "the daily quota is spent", { context: { possible } });

  const ran = await run({
    streams: ["scores", "people", "exams"],
    script: { ...fine, "/v1/people": [spent] },
  });

  expect(ran.error?.message).toBe(
    `the daily quota is spent; complete: scores; remaining: people, exams; requests possible: ${possible}`,
  );
});

test("a spent quota drops what is not durable yet where that was asked for", async () => {
  const ran = await run({
    streams: ["scores", "people"],
    script: { ...fine, "/v1/people": [quotaSpent()] },
    sink: recordingSink({ acknowledge: "at flush" }),
    onQuota: "drop",
  });

  expect(ran.error?.kind).toBe("quota");
  expect(ran.state.bookmarks).toEqual({});
  expect(ran.sink.calls).not.toContain("flush");
  expect(ran.sink.disposed).toBe(true);
});

test("a stream of which no parent is there any more fails: the endpoint has gone, not the parents", async () => {
  const ran = await run({
    streams: ["results"],
    script: {
      "/v1/exams": [[{ exam_id: 1 }, { exam_id: 2 }, { exam_id: 3 }]],
      "/v1/exams/1/results": [notFound()],
      "/v1/exams/2/results": [notFound()],
      "/v1/exams/3/results": [notFound()],
    },
  });

  expect(ran.error?.message).toBe(
    "results: GET /v1/exams/{exam_id}/results answered 404 for all of 3 parents",
  );
  expect(ran.bookmark("results")).toBeUndefined();
});

test("every stream that is handed on is declared once before its rows and ended once after", async () => {
  const ran = await run({
    streams: ["scores", "people", "exams"],
    script: { ...fine, "/v1/people": [refused()] },
  });

  const about = (stream: string) =>
    ran.sink.calls.filter((c) => c.endsWith(stream)).map((c) => c.split(" ")[0]);
  expect(ran.sink.calls.slice(0, 4)).toEqual([
    ...["open", "declare scores", "declare people", "declare exams"],
  ]);
  expect(about("scores")).toEqual(["declare", "write", "write", "end"]);
  expect(about("people")).toEqual(["declare", "end"]);
  expect(about("exams")).toEqual(["declare", "end"]);
});

test("a bug in reading a stream stops the run and is not taken for a failure of the source", async () => {
  const ran = await run({
    streams: ["scores", "people"],
    script: { ...fine, "/v1/scores?full=true": [new TypeError("x is not a function")] },
  });

  expect(ran.error?.kind).toBe("internal");
  expect(ran.requests).toEqual(["/v1/scores?full=true"]);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  "a sink that fails at call %i is not called again, and only what it acknowledged is kept",
  async (failAt) => {
    const sink = recordingSink({ failAt });

    const ran = await run({ streams: ["scores", "people"], script: fine, sink });

    expect(ran.error?.kind).toBe("destination");
    expect(sink.calls).toHaveLength(failAt);
    expect(sink.disposed).toBe(true);
    expect(Object.keys(ran.state.bookmarks)).toEqual(sink.acknowledged.map((c) => c.stream));
  },
);

test("a destination that is not found is not taken for a parent that has gone", async () => {
  const failure = new ConnectorError("destination", "no such dataset", {
    context: { status: 404 },
  });
  const sink = recordingSink({ failAt: 3, failure });

  const ran = await run({
    streams: ["results"],
    script: { "/v1/exams": [[{ exam_id: 1 }]], "/v1/exams/1/results": [[{ result_id: 1 }]] },
    sink,
  });

  expect(ran.error).toBe(failure);
  expect(sink.calls).toEqual(["open", "declare results", "write results"]);
});

test("a failure of the sink counts as one although the source fails while it is closed", async () => {
  const inner = scriptedSource(fine);
  const source: typeof inner = {
    ...inner,
    async *pages(listing, signal) {
      try {
        yield* inner.pages(listing, signal);
      } finally {
        // eslint-disable-next-line no-unsafe-finally -- a source that fails to close
        throw unavailable();
      }
    },
  };

  const ran = await run({ streams: ["people"], source, sink: recordingSink({ failAt: 3 }) });

  expect(ran.error?.kind).toBe("destination");
  expect(ran.sink.calls).toHaveLength(3);
});

test("a sink that fails to close fails the run, and keeps the state that it acknowledged", async () => {
  const disposal = new ConnectorError("destination", "the spool cannot be removed");

  const ran = await run({ streams: ["people"], script: fine, sink: recordingSink({ disposal }) });

  expect(ran.error).toBe(disposal);
  expect(Object.keys(ran.state.bookmarks)).toEqual(["people"]);
});

test("why a run failed is not hidden by a sink that then fails to close", async () => {
  const failure = new ConnectorError("destination", "the disk is full");

  const ran = await run({
    streams: ["people"],
    script: fine,
    sink: recordingSink({ failAt: 3, failure, disposal: new Error("and so is this") }),
  });

  expect(ran.error).toBe(failure);
});

test("a listing that is not found is a failure where there is no parent to have gone", async () => {
  const ran = await run({ streams: ["people"], script: { "/v1/people": [notFound()] } });

  expect(ran.status("people")).toBe("failed");
});

test("rejects up to the budget are handed on, and the first beyond it fails the stream", async () => {
  const bad = [{ id: "x" }, { id: "y" }];

  const within = await run({
    streams: ["people"],
    script: { "/v1/people": [[...bad, { id: 1 }]] },
    settings: { maxRejects: 2 },
  });
  const beyond = await run({
    streams: ["people"],
    script: { "/v1/people": [bad, [{ id: "z" }], [{ id: 1 }]] },
    settings: { maxRejects: 2 },
  });

  expect(within.status("people")).toBe("partial");
  expect(within.error).toBeUndefined();
  expect(beyond.outcomes).toMatchObject([{ status: "failed", rows: 0, rejected: 3 }]);
  expect(beyond.error?.message).toBe("people: id is not a 64-bit integer; 3 rejected");
  expect(beyond.sink.rejects("people")).toHaveLength(3);
  expect(beyond.requests).toEqual(["/v1/people", "/v1/people#2"]);
});
