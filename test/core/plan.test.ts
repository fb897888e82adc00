import { expect, test } from "vitest";
import { z } from "zod";

import { ConnectorError } from "../../src/core/errors.js";
import { id } from "../../src/core/fields.js";
import { makePlan, type Selection } from "../../src/core/plan.js";
import { EMPTY_STATE, type State } from "../../src/core/state.js";
import { defineStream } from "../../src/core/stream.js";
import { run, selection } from "../support/run.js";
import { REGISTRY, results, scores } from "../support/streams.js";

/** What is read, in which order, and from where. */

const plan = (chosen: readonly (string | Selection)[], state: State = EMPTY_STATE) =>
  makePlan(
    REGISTRY,
    chosen.map((s) => (typeof s === "string" ? selection({ stream: s }) : s)),
    state,
  ).streams;

const names = (streams: ReturnType<typeof plan>) =>
  streams.map((s) => (s.emit ? s.def.name : `(${s.def.name})`));

test("parents come before their children and otherwise the registry's order holds", () => {
  const all = REGISTRY.map((def) => def.name);

  expect(names(plan(all))).toEqual([
    ...["teams", "people", "members", "exams", "results", "courses", "enrolments"],
    ...["scores", "team_scores"],
  ]);
  expect(names(plan(all.toReversed()))).toEqual(names(plan(all)));
});

test("a parent that was not selected is read but not handed on", () => {
  expect(names(plan(["results"]))).toEqual(["(exams)", "results"]);
  expect(names(plan(["enrolments"]))).toEqual(["(courses)", "enrolments"]);
  expect(names(plan(["members", "people"]))).toEqual(["(teams)", "people", "members"]);
});

test("a stream that need not be derived does not need what it would be derived from", () => {
  const { streams } = makePlan(REGISTRY, [selection({ stream: "members" })], EMPTY_STATE, {
    endpointOnly: new Set(["members"]),
  });

  expect(names(streams)).toEqual(["(teams)", "members"]);
});

test("nothing selected is nothing planned", () => {
  expect(plan([])).toEqual([]);
});

test.each([
  ["peolpe", 'did you mean "people"?'],
  ["PEOPLE", 'did you mean "people"?'],
  ["team_score", 'did you mean "team_scores"?'],
  ["invoices", `streams are: ${REGISTRY.map((def) => def.name).join(", ")}`],
])("a stream %s is refused: %s", (name, hint) => {
  const error = caught(() => plan([name]));

  expect(error).toMatchObject({ kind: "config", message: `unknown stream "${name}"`, hint });
});

test("names that every object has are unknown streams too", () => {
  expect(caught(() => plan(["constructor"])).kind).toBe("config");
  expect(caught(() => plan(["__proto__"])).kind).toBe("config");
});

test("deselected columns and members are pruned, wherever they stand", () => {
  const without = new Set(["name", "boss.email", "jobs.title", "_extra"]);

  const [people] = plan([selection({ stream: "people", deselected: without })]);

  const columns = new Map(people?.columns.map((c) => [c.name, c]));
  expect(columns.has("name")).toBe(false);
  expect(columns.has("_extra")).toBe(false);
  expect(columns.get("boss")?.members?.map((m) => m.name)).toEqual(["id", "since"]);
  expect(columns.get("jobs")?.members?.map((m) => m.name)).toEqual(["start"]);
});

test("keys, cursors and the time of observation cannot be deselected", () => {
  const all = new Set(["team_id", "date", "score", "_extra", "_observed_at"]);

  const [, teamScores] = plan([selection({ stream: "team_scores", deselected: all })]);

  expect(teamScores?.columns.map((c) => c.name)).toEqual(["team_id", "date", "_observed_at"]);
});

test("a stream starts from its bookmark unless it is to be read in full", () => {
  const state: State = {
    version: 1,
    bookmarks: { scores: { completedAt: null, cursor: "2026-05-01" } },
  };

  const [kept] = plan(["scores"], state);
  const [fresh] = plan([selection({ stream: "scores", fullRefresh: true })], state);
  const [none] = plan(["people"], state);

  expect(kept?.bookmark).toEqual(state.bookmarks["scores"]);
  expect(fresh?.bookmark).toBeNull();
  expect(none?.bookmark).toBeNull();
});

test("what a sink hears of a stream: its columns, its key, its cursor, whether it comes whole", async () => {
  const ran = await run({
    streams: ["scores", "results", "people"],
    script: { "/v1/scores": [[]], "/v1/exams": [[]], "/v1/people": [[]] },
    state: { version: 1, bookmarks: { scores: { completedAt: null, cursor: "2026-05-31" } } },
  });

  expect(
    ran.sink.declared.map((d) => [d.name, d.primaryKey, d.cursor, d.whole, d.columns.length]),
  ).toEqual([
    ["results", ["exam_id", "result_id"], "_observed_at", true, 5],
    ["scores", ["date"], "date", false, 4],
    ["people", ["id"], null, true, 14],
  ]);
});

test("a stream can only stand below one that is read whole, and below no grandparent", () => {
  const below = (parent: typeof results | typeof scores) => () =>
    defineStream({
      name: "things",
      description: "Things.",
      docs: "https://example.org",
      path: "/v1/x/{x_id}/things",
      schema: z.object({ x_id: id("X."), id: id("The thing.") }),
      primaryKey: ["x_id", "id"],
      replication: { mode: "full_table" },
      parent: { stream: parent, bind: { x_id: "x" } },
    } as never);

  expect(below(results)).toThrow("things: results must be");
  expect(below(scores)).toThrow("things: scores must be");
});

function caught(act: () => unknown): ConnectorError {
  try {
    act();
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
