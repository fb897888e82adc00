import { expect, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import { applyCheckpoints, EMPTY_STATE, parseState, type State } from "../../src/core/state.js";
import { run } from "../support/run.js";
import { scriptedSource, unavailable } from "../support/source.js";

/** What a state may look like, and what becomes of it. */

const AT = "2026-05-31T00:00:00.000Z";
const part = { print: "0123456789abcdef", readAt: AT, rows: 3 };

function refusal(value: unknown): string {
  try {
    parseState(value, "state.json");
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === "state") return error.message;
    throw error;
  }
  throw new Error("the state was taken");
}

test("{} is a first run", () => {
  expect(parseState({}, "state.json")).toEqual(EMPTY_STATE);
});

test("a state with every kind of bookmark is taken as it is", () => {
  const state = {
    version: 1,
    bookmarks: {
      people: { completedAt: AT },
      scores: { completedAt: null, cursor: "2026-05-31", known: "2~5.a" },
      results: { completedAt: AT, parts: { "1": part, "2": { ...part, overSince: null } } },
      enrolments: { completedAt: AT, scannedAt: AT, parts: { "": { ...part, overSince: AT } } },
      _source: { completedAt: null, paging: "cursor" },
      other_tap: { completedAt: null, foreign: { bookmarks: { x: [1, 2] } } },
      retired_stream: { completedAt: null, cursor: null },
    },
  };

  expect(parseState(structuredClone(state), "state.json")).toEqual(state);
});

test.each<[unknown, string]>([
  [null, "the state is not a JSON object"],
  [[], "the state is not a JSON object"],
  ["{}", "the state is not a JSON object"],
  [{ bookmarks: {} }, "no version: the state is not of this tap's shape"],
  [{ bookmarks: { users: { replication_key_value: AT } } }, "no version"],
  [{ type: "STATE", value: {} }, "no version"],
  [{ version: 2, bookmarks: {} }, "state version 2 is newer than this program knows (1)"],
  [{ version: 0, bookmarks: {} }, "unknown state version"],
  [{ version: "1", bookmarks: {} }, "unknown state version"],
  [{ version: null, bookmarks: {} }, "unknown state version"],
  [{ version: 1 }, "bookmarks is not an object"],
  [{ version: 1, bookmarks: [] }, "bookmarks is not an object"],
  [{ version: 1, bookmarks: { a: null } }, "bookmarks.a is not an object"],
  [{ version: 1, bookmarks: { a: "2026-05-31" } }, "bookmarks.a is not an object"],
])("%j is refused: %s", (value, why) => {
  expect(refusal(value)).toMatch(`state.json: ${why}`);
});

test.each<[string, object]>([
  ["completedAt", {}],
  ["completedAt", { replication_key_value: AT }],
  ["completedAt", { completedAt: "yesterday" }],
  ["completedAt", { completedAt: "2026-13-01T00:00:00.000Z" }],
  ["completedAt", { completedAt: "2026-05-31" }],
  ["completedAt", { completedAt: 1780185600000 }],
  ["scannedAt", { completedAt: AT, scannedAt: "" }],
  ["scannedAt", { completedAt: AT, scannedAt: "2026-02-30T00:00:00.000Z" }],
  ["cursor", { completedAt: AT, cursor: "31.05.2026" }],
  ["cursor", { completedAt: AT, cursor: "2026-99-99" }],
  ["cursor", { completedAt: AT, cursor: 5 }],
  ["known", { completedAt: AT, known: [1, 2] }],
  ["known", { completedAt: AT, known: "not an id set" }],
  ["known", { completedAt: AT, known: "1~zzzzzzzzzz" }],
  ["paging", { completedAt: null, paging: "offset" }],
  ["parts", { completedAt: AT, parts: [] }],
  ["parts.1", { completedAt: AT, parts: { "1": null } }],
  ["parts.1", { completedAt: AT, parts: { "1": { ...part, print: 5 } } }],
  ["parts.1", { completedAt: AT, parts: { "1": { ...part, readAt: null } } }],
  ["parts.1", { completedAt: AT, parts: { "1": { ...part, readAt: "2026-99-01T00:00:00Z" } } }],
  ["parts.1", { completedAt: AT, parts: { "1": { ...part, rows: "3" } } }],
  ["parts.1", { completedAt: AT, parts: { "1": { ...part, rows: -3 } } }],
  ["parts.1", { completedAt: AT, parts: { "1": { ...part, overSince: "once" } } }],
])("a bookmark with a wrong %s is refused: %j", (where, bookmark) => {
  const message = refusal({ version: 1, bookmarks: { users: bookmark } });

  expect(message).toBe(`state.json: bookmarks.users.${where} is not of the expected shape`);
});

test("a refusal does not repeat what is in the state", () => {
  const canary = "canary-4711";

  const message = refusal({ version: 1, bookmarks: { users: { completedAt: canary } } });

  expect(message).not.toContain(canary);
});

test("bookmarks of streams that a run does not read are kept, and so is what we do not know", async () => {
  const state = parseState(
    { version: 1, bookmarks: { retired: { completedAt: AT, cursor: "2020-01-01" } }, note: "ours" },
    "state.json",
  );

  const ran = await run({ streams: ["people"], script: { "/v1/people": [[]] }, state });

  expect(ran.state).toEqual({
    version: 1,
    note: "ours",
    bookmarks: {
      retired: { completedAt: AT, cursor: "2020-01-01" },
      people: { completedAt: "2026-06-01T00:00:00.000Z", rows: 0 },
    },
  });
});

test("what the source learned about the API is kept, and written only when it is news", async () => {
  const script = { "/v1/people": [[]] };
  const source = () => scriptedSource(script, { memory: { paging: "cursor" } });

  const first = await run({ streams: ["people"], source: source() });
  const second = await run({ streams: ["people"], source: source(), state: first.state });
  const third = await run({ streams: ["people"], script, state: second.state });

  expect(first.bookmark("_source")).toEqual({ completedAt: null, paging: "cursor" });
  expect(second.sink.calls).not.toContain("write _source");
  expect(third.bookmark("_source")).toEqual({ completedAt: null, paging: "cursor" });
});

test("later checkpoints of a stream win, and the state that was given is not touched", () => {
  const state: State = { version: 1, bookmarks: { a: { completedAt: null } } };

  const next = applyCheckpoints(Object.freeze(state), [
    { stream: "b", bookmark: { completedAt: null, cursor: "2026-01-01" } },
    { stream: "b", bookmark: { completedAt: AT, cursor: "2026-01-02" } },
  ]);

  expect(next.bookmarks).toEqual({
    a: { completedAt: null },
    b: { completedAt: AT, cursor: "2026-01-02" },
  });
  expect(state.bookmarks).toEqual({ a: { completedAt: null } });
  expect(applyCheckpoints(state, [])).toBe(state);
});

/** As platforms merge: objects key by key, everything else replaced. */
function deepMerge(before: unknown, after: unknown): unknown {
  const isObject = (v: unknown): v is Record<string, unknown> =>
    typeof v === "object" && v !== null && !Array.isArray(v);
  if (!isObject(before) || !isObject(after)) return after;
  const merged = { ...before };
  for (const [key, value] of Object.entries(after)) merged[key] = deepMerge(before[key], value);
  return merged;
}

test("a state merged key by key into the one before asks for the same rows", async () => {
  const exams = (...ids: readonly number[]) => ({
    "/v1/exams": [ids.map((exam_id) => ({ exam_id, passed_count: exam_id }))],
    "/v1/teams": [ids.map((id) => ({ id }))],
    "/v1/courses": [ids.map((course_id) => ({ course_id, status: "Open" }))],
    "/v1/enrolments": [ids.map((course_id) => ({ enrolment_id: course_id, course_id }))],
    ...Object.fromEntries(
      ids.flatMap((n) => [
        [`/v1/exams/${String(n)}/results`, [[{ result_id: n }]]],
        [`/v1/teams/${String(n)}/scores`, [[{ date: "2026-05-31" }]]],
        [`/v1/enrolments?course_id=${String(n)}`, [[{ enrolment_id: n, course_id: n }]]],
      ]),
    ),
  });
  const streams = ["results", "enrolments", "team_scores"];
  const settings = { pageSize: 1 };
  const first = await run({ streams, script: exams(1, 2, 3), settings });
  const second = await run({ streams, script: exams(1, 3), state: first.state, at: 1, settings });
  const merged = parseState(deepMerge(first.state, second.state), "merged");

  const script = exams(1, 2, 3);
  const plain = await run({ streams, script, state: second.state, at: 2, settings });
  const after = await run({ streams, script, state: merged, at: 2, settings });

  // What was forgotten is new without the merge and known with it: never read less than that.
  const known = ["/v1/exams/2/results", "/v1/teams/2/scores?full=true"];
  expect(plain.requests).toEqual(expect.arrayContaining(known));
  expect(after.requests).toEqual(
    plain.requests.filter((request) => request !== "/v1/exams/2/results"),
  );
});

test("a state is as large as what the API lists, whatever was listed before", async () => {
  let state: State = EMPTY_STATE;
  for (let day = 0; day < 5; day++) {
    const ids = Array.from({ length: 20 }, (_, i) => day * 20 + i);
    const script = {
      "/v1/exams": [ids.map((exam_id) => ({ exam_id }))],
      "/v1/teams": [ids.map((id) => ({ id }))],
      "/v1/courses": [ids.map((course_id) => ({ course_id }))],
      "/v1/enrolments": [[]],
      ...Object.fromEntries(
        ids.flatMap((n) => [
          [`/v1/exams/${String(n)}/results`, [[]]],
          [`/v1/teams/${String(n)}/scores`, [[]]],
        ]),
      ),
    };
    const ran = await run({
      streams: ["results", "enrolments", "team_scores"],
      script,
      state,
      at: day,
    });
    state = ran.state;
  }

  expect(Object.keys(state.bookmarks["results"]?.parts ?? {})).toHaveLength(20);
  expect(Object.keys(state.bookmarks["enrolments"]?.parts ?? {})).toHaveLength(20);
  expect(state.bookmarks["team_scores"]?.known).toBe("29~k");
});

test("every state that a run returns can be read again", async () => {
  const ran = await run({
    streams: ["people", "results", "enrolments", "scores", "team_scores"],
    source: scriptedSource(
      {
        "/v1/people": [unavailable()],
        "/v1/exams": [[{ exam_id: 1 }, { exam_id: 2 }]],
        "/v1/exams/1/results": [[{ result_id: 1 }]],
        "/v1/exams/2/results": [unavailable()],
        "/v1/courses": [[{ course_id: 1, status: "Closed" }]],
        "/v1/enrolments": [[{ enrolment_id: 1 }]],
        "/v1/scores": [[{ date: "2026-05-31" }]],
        "/v1/teams": [[{ id: 1 }]],
        "/v1/teams/1/scores": [[]],
      },
      { memory: { paging: "page" } },
    ),
  });

  const text = JSON.stringify(ran.state);
  expect(parseState(JSON.parse(text), "state.json")).toEqual(ran.state);
});
