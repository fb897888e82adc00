import { expect, test } from "vitest";

import { run } from "../support/run.js";
import { recordingSink } from "../support/sink.js";
import { scriptedSource, stopped } from "../support/source.js";

/** `stop` ends the reading and keeps what is safe; `kill` ends everything. */

const script = {
  "/v1/scores?full=true": [[{ date: "2026-05-31" }]],
  "/v1/people": [[{ id: 1 }], [{ id: 2 }], [{ id: 3 }]],
  "/v1/exams": [[{ exam_id: 1 }, { exam_id: 2 }, { exam_id: 3 }]],
  "/v1/exams/1/results": [[{ result_id: 1 }]],
  "/v1/exams/2/results": [[{ result_id: 2 }]],
  "/v1/exams/3/results": [[{ result_id: 3 }]],
};

test("stop ends the reading at once, and flushes what is complete", async () => {
  const stop = new AbortController();
  const source = scriptedSource(script, {
    onRequest: (request) => {
      if (request === "/v1/people#2") stop.abort(stopped());
    },
  });

  const ran = await run({
    streams: ["scores", "people", "exams"],
    source,
    sink: recordingSink({ acknowledge: "at flush" }),
    stop: stop.signal,
  });

  expect(ran.requests).toEqual(["/v1/scores?full=true", "/v1/people"]);
  expect(ran.outcomes.map((o) => `${o.stream} ${o.status}`)).toEqual([
    ...["scores complete", "people failed", "exams skipped"],
  ]);
  expect(ran.error?.kind).toBe("cancelled");
  expect(ran.error?.context).toEqual({ signal: "SIGTERM" });
  expect(ran.sink.calls.at(-1)).toBe("flush");
  expect(Object.keys(ran.state.bookmarks)).toEqual(["scores"]);
});

test("stop below parents keeps those that were read to their end", async () => {
  const stop = new AbortController();
  const source = scriptedSource(script, {
    onRequest: (request) => {
      if (request === "/v1/exams/3/results") stop.abort(stopped());
    },
  });

  const ran = await run({
    streams: ["results"],
    source,
    stop: stop.signal,
    settings: { concurrency: 1 },
  });

  expect(Object.keys(ran.bookmark("results")?.parts ?? {})).toEqual(["1", "2"]);
});

test("stop before the first request reads nothing and moves nothing", async () => {
  const ran = await run({
    streams: ["scores", "people"],
    script,
    stop: AbortSignal.abort(stopped()),
  });

  expect(ran.requests).toEqual([]);
  expect(ran.error?.kind).toBe("cancelled");
  expect(ran.state.bookmarks).toEqual({});
});

test("stop without a reason of ours is a signal all the same, not a bug", async () => {
  const ran = await run({ streams: ["people"], script, stop: AbortSignal.abort() });

  expect(ran.error?.kind).toBe("cancelled");
});

test.each([
  "/v1/scores?full=true",
  "/v1/people",
  "/v1/people#2",
  "/v1/exams",
  "/v1/exams/2/results",
])("kill at %s ends at once: nothing more is written, ended or flushed", async (at) => {
  const kill = new AbortController();
  const sink = recordingSink({ acknowledge: "at flush" });
  let calls = Infinity;
  const source = scriptedSource(script, {
    onRequest: (request) => {
      if (request !== at) return;
      calls = sink.calls.length;
      kill.abort(stopped());
    },
  });

  const ran = await run({
    streams: ["scores", "people", "results"],
    source,
    sink,
    kill: kill.signal,
    settings: { concurrency: 1 },
  });

  expect(ran.error?.kind).toBe("cancelled");
  expect(sink.calls).toHaveLength(calls);
  expect(sink.disposed).toBe(true);
  expect(ran.state.bookmarks).toEqual({});
});

test("kill while the sink writes keeps what that write acknowledged, and no more", async () => {
  const kill = new AbortController();
  const sink = recordingSink({
    onCall: (name) => {
      if (name === "end scores") kill.abort(stopped());
    },
  });

  const ran = await run({ streams: ["scores", "people"], script, sink, kill: kill.signal });

  expect(sink.calls.at(-1)).toBe("end scores");
  expect(Object.keys(ran.state.bookmarks)).toEqual(["scores"]);
  expect(ran.error?.kind).toBe("cancelled");
});

test("kill after stop does not flush", async () => {
  const stop = new AbortController();
  const kill = new AbortController();
  const source = scriptedSource(script, {
    onRequest: (request) => {
      if (request === "/v1/people#2") stop.abort(stopped());
    },
  });
  const sink = recordingSink({
    onCall: (name) => {
      if (name === "end people") kill.abort(stopped());
    },
  });

  const ran = await run({
    streams: ["people"],
    source,
    sink,
    stop: stop.signal,
    kill: kill.signal,
  });

  expect(sink.calls).not.toContain("flush");
  expect(ran.error?.kind).toBe("cancelled");
});
