import { expect, test } from "vitest";

import { run } from "../support/run.js";
import { recordingSink } from "../support/sink.js";
import { unavailable } from "../support/source.js";

/** What a run tells the outside world while it lasts. */

test("a run tells of each stream's start, pages, checkpoint and end, in that order", async () => {
  const ran = await run({
    streams: ["results", "people"],
    script: {
      "/v1/exams": [[{ exam_id: 1 }]],
      "/v1/exams/1/results": [[{ result_id: 1 }, { result_id: 2 }], [{ result_id: 3 }]],
      "/v1/people": [unavailable()],
    },
  });

  expect(ran.events.map((e) => [e.type, "stream" in e ? e.stream : ""].join(" ").trim())).toEqual([
    ...["stream_started exams", "planned exams", "page exams", "stream_finished"],
    ...["stream_started results", "planned results", "page results", "page results"],
    ...["checkpoint results", "stream_finished"],
    ...["stream_started people", "planned people", "stream_finished"],
  ]);
  expect(ran.events.flatMap((e) => (e.type === "page" ? [e.rows] : []))).toEqual([1, 2, 1]);
});

test("every batch of a run says when the run started, and rows when their page arrived", async () => {
  const ran = await run({
    streams: ["people", "members"],
    script: {
      "/v1/people": [[{ id: 1, teams: [7] }]],
      "/v1/teams": [[{ id: 7, member_count: 1 }]],
    },
    at: "2026-06-01T12:00:00.000Z",
    sink: recordingSink(),
  });

  expect(new Set(ran.sink.batches.map((b) => b.observedAt))).toEqual(
    new Set(["2026-06-01T12:00:00.000Z"]),
  );
  expect(ran.sink.batches.map((b) => [b.stream, b.rows.length, b.extractedAt])).toEqual([
    ["people", 1, "2026-06-01T00:00:01.000Z"],
    ["people", 0, "2026-06-01T12:00:00.000Z"],
    ["members", 1, "2026-06-01T12:00:00.000Z"],
    ["members", 0, "2026-06-01T12:00:00.000Z"],
  ]);
  expect(ran.sink.opened).toMatchObject([
    { runId: "run-1", startedAt: "2026-06-01T12:00:00.000Z", state: { bookmarks: {} } },
  ]);
});
