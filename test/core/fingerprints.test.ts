import { expect, test } from "vitest";

import type { State } from "../../src/core/state.js";
import { run, type RunOptions } from "../support/run.js";
import { notFound, quotaSpent, scriptedSource, unavailable } from "../support/source.js";

/** Reading below parents whose fingerprint changed. */

const exam = (exam_id: number, passed_count = 0, status = "Active") => ({
  exam_id,
  status,
  passed_count,
});

/** An account with these exams, each with one result. */
const account = (...exams: readonly ReturnType<typeof exam>[]) => ({
  "/v1/exams": [exams],
  ...Object.fromEntries(
    exams.map((e) => [`/v1/exams/${String(e.exam_id)}/results`, [[{ result_id: e.exam_id }]]]),
  ),
});

const read = (options: Omit<RunOptions, "streams">) => run({ streams: ["results"], ...options });

/** State after a first run over these exams. */
async function stateAfter(...exams: readonly ReturnType<typeof exam>[]): Promise<State> {
  return (await read({ script: account(...exams) })).state;
}

test("the first run reads below every parent", async () => {
  const ran = await read({ script: account(exam(1), exam(2)) });

  expect(ran.requests).toEqual(["/v1/exams", "/v1/exams/1/results", "/v1/exams/2/results"]);
  expect(ran.bookmark("results")).toEqual({
    completedAt: "2026-06-01T00:00:00.000Z",
    parts: {
      "1": { print: expect.any(String), readAt: "2026-06-01T00:00:00.000Z", rows: 1 },
      "2": { print: expect.any(String), readAt: "2026-06-01T00:00:00.000Z", rows: 1 },
    },
  });
});

test("an unchanged account costs the one request that says so", async () => {
  const state = await stateAfter(exam(1), exam(2));

  const ran = await read({ script: account(exam(1), exam(2)), state, at: 1 });

  expect(ran.requests).toEqual(["/v1/exams"]);
  expect(ran.rows("results")).toEqual([]);
  expect(ran.bookmark("results")?.completedAt).toBe("2026-06-02T00:00:00.000Z");
});

test("a parent with a changed counter, a changed status or no history is read", async () => {
  const state = await stateAfter(exam(1), exam(2), exam(3));

  const ran = await read({
    script: account(exam(1, 1), exam(2, 0, "Closed"), exam(3), exam(4)),
    state,
    at: 1,
  });

  expect(ran.requests.slice(1)).toEqual([1, 2, 4].map((id) => `/v1/exams/${String(id)}/results`));
});

test("a parent is read again after reverify_days although nothing about it changed", async () => {
  const state = await stateAfter(exam(1), exam(2));

  const early = await read({ script: account(exam(1), exam(2, 1)), state, at: 29 });
  const due = await read({ script: account(exam(1), exam(2, 1)), state: early.state, at: 30 });

  expect(early.requests.slice(1)).toEqual(["/v1/exams/2/results"]);
  expect(due.requests.slice(1)).toEqual(["/v1/exams/1/results"]);
});

test("a parent read while the clock was years ahead does not wait for those years", async () => {
  const ahead = await read({ script: account(exam(1)), at: "2036-06-01T00:00:00.000Z" });

  const ran = await read({ script: account(exam(1)), state: ahead.state });

  expect(ran.requests.slice(1)).toEqual(["/v1/exams/1/results"]);
});

test("a parent that is no longer listed is forgotten, and new when it comes back", async () => {
  const state = await stateAfter(exam(1), exam(2));

  const without = await read({ script: account(exam(1)), state, at: 1 });
  const back = await read({ script: account(exam(1), exam(2)), state: without.state, at: 2 });

  expect(Object.keys(without.bookmark("results")?.parts ?? {})).toEqual(["1"]);
  expect(back.requests.slice(1)).toEqual(["/v1/exams/2/results"]);
});

test("a parent that went away between list and read is skipped, said, and tried again", async () => {
  const script = { ...account(exam(1), exam(2)), "/v1/exams/1/results": [notFound()] };

  const ran = await read({ script });
  const again = await read({ script: account(exam(1), exam(2)), state: ran.state, at: 1 });

  expect(ran.status("results")).toBe("complete");
  expect(ran.warnings).toEqual(["parent 1 has gone since it was listed: skipped"]);
  expect(Object.keys(ran.bookmark("results")?.parts ?? {})).toEqual(["2"]);
  expect(again.requests.slice(1)).toEqual(["/v1/exams/1/results"]);
});

test("a parent listed twice, because it moved between pages, is read once", async () => {
  const script = { ...account(exam(1)), "/v1/exams": [[exam(1)], [exam(1)]] };

  const ran = await read({ script });

  expect(ran.requests).toEqual(["/v1/exams", "/v1/exams#2", "/v1/exams/1/results"]);
});

test("what was read below whole parents before a failure is kept", async () => {
  const script = { ...account(exam(1), exam(2), exam(3)), "/v1/exams/2/results": [unavailable()] };

  const failed = await read({ script });
  const next = await read({
    script: account(exam(1), exam(2), exam(3)),
    state: failed.state,
    at: 1,
  });

  expect(failed.status("results")).toBe("failed");
  expect(failed.bookmark("results")?.completedAt).toBeNull();
  expect(Object.keys(failed.bookmark("results")?.parts ?? {})).toEqual(["1"]);
  expect(next.requests.slice(1)).toEqual([2, 3].map((id) => `/v1/exams/${String(id)}/results`));
});

test("progress is made safe every so often, should nobody be there to do it at the end", async () => {
  const many = Array.from({ length: 120 }, (_, i) => exam(i + 1));
  const large = Array.from({ length: 2_000 }, (_, i) => ({ result_id: i }));
  const pagesOf = (result: readonly object[]) => ({ "/v1/exams/1/results": [result] });

  const small = await read({ script: account(...many) });
  const big = await read({ script: { ...account(exam(1), exam(2)), ...pagesOf(large) } });

  const parts = (ran: typeof small) =>
    ran.sink.acknowledged.map((c) => Object.keys(c.bookmark.parts ?? {}).length);
  expect(parts(small)).toEqual([50, 100, 120]);
  expect(parts(big)).toEqual([1, 2]);
});

test("an account larger than its quota is read to the end, a day's requests at a time", async () => {
  const exams = Array.from({ length: 10 }, (_, i) => exam(i + 1));
  const script = {
    ...account(...exams),
    ...Object.fromEntries(exams.map((e) => [`/v1/exams/${String(e.exam_id)}/results`, [[]]])),
  };
  let state: State = { version: 1, bookmarks: {} };
  let days = 0;

  for (let done = false; !done && days < 10; days++) {
    let left = 5;
    const source = scriptedSource(script, {
      onRequest: () => {
        if (left-- === 0) throw quotaSpent();
      },
    });
    const ran = await read({ source, state, at: days, settings: { concurrency: 1 } });
    state = ran.state;
    done = ran.status("results") === "complete";
  }

  expect(days).toBe(3); // 10 parents, 4 a day beside the list
});

test("a full refresh reads below every parent, whatever is known", async () => {
  const state = await stateAfter(exam(1), exam(2));

  const ran = await run({
    streams: [{ stream: "results", fullRefresh: true }],
    script: account(exam(1), exam(2)),
    state,
    at: 1,
  });

  expect(ran.requests).toHaveLength(3);
});

test("the parent's rows are handed on only if they were selected too", async () => {
  const alone = await read({ script: account(exam(1)) });
  const both = await run({ streams: ["results", "exams"], script: account(exam(1)) });

  expect(alone.sink.declared.map((d) => d.name)).toEqual(["results"]);
  expect(alone.rows("exams")).toEqual([]);
  expect(both.sink.declared.map((d) => d.name)).toEqual(["exams", "results"]);
  expect(both.rows("exams")).toHaveLength(1);
  expect(both.requests).toEqual(alone.requests);
});
