import { describe, expect, test } from "vitest";

import { EMPTY_STATE, SOURCE_KEY } from "../../../src/core/state.js";
import { readStates } from "../../../src/protocols/airbyte/state.js";

/** What a platform passes as the states of the run before. */

const NAMES = ["users", "groups"];
const given = (value: unknown) => readStates(value, NAMES, "state.json");

const bookmark = { completedAt: "2026-06-01T00:00:00.000Z" };
const blob = { version: 1, number: 3, bookmark };

function entry(name: string, state: unknown, more: object = {}) {
  return { type: "STREAM", stream: { stream_descriptor: { name, ...more }, stream_state: state } };
}

test.each([
  ["no file", undefined],
  ["null", null],
  ["an empty list", []],
  ["an empty object", {}],
])("%s is a first run", (_, value) => {
  expect(given(value)).toEqual({ state: EMPTY_STATE, numbers: new Map(), unknown: [] });
});

test("states come in any order, and each stream goes on from its own", () => {
  const other = { completedAt: "2026-05-01T00:00:00.000Z", cursor: "2026-05-01" };

  const { state, numbers } = given([
    entry("users", blob),
    entry("groups", { version: 1, number: 9, bookmark: other }),
  ]);

  expect(state.bookmarks).toEqual({ users: bookmark, groups: other });
  expect([...numbers]).toEqual([
    ["users", 3],
    ["groups", 9],
  ]);
});

test.each([
  ["null", null],
  ["an empty object", {}],
])("a stream whose state is %s starts from the beginning, and the others go on", (_, reset) => {
  const { state, numbers } = given([entry("users", reset), entry("groups", blob)]);

  expect(Object.keys(state.bookmarks)).toEqual(["groups"]);
  expect(numbers.has("users")).toBe(false);
});

test("nulls and keys that are not ours are as good as absent", () => {
  const platform = {
    ...entry("users", blob, { namespace: null, more: 1 }),
    data: null,
    global: null,
    global_: null,
    sourceStats: { recordCount: 3 },
    destinationStats: null,
    id: 7,
  };

  expect(given([platform]).state.bookmarks).toEqual({ users: bookmark });
});

test("what the API client remembers comes out of any stream's state", () => {
  const source = { completedAt: null, paging: "page" };

  const { state } = given([entry("users", { ...blob, source }), entry("groups", blob)]);

  expect(state.bookmarks[SOURCE_KEY]).toEqual(source);
});

test("streams that are not ours are told, and neither read nor refused", () => {
  const { state, unknown } = given([entry("planets", { any: "shape" }), entry("users", blob)]);

  expect(unknown).toEqual(["planets"]);
  expect(Object.keys(state.bookmarks)).toEqual(["users"]);
});

test("a state without a number counts from the start", () => {
  const { numbers } = given([entry("users", { version: 1, bookmark })]);

  expect(numbers.get("users")).toBe(0);
});

const legacy = "is not the state of one stream: legacy and global states are not understood";

describe("is refused, and says where and what:", () => {
  test.each<readonly [string, unknown, string]>([
    ["text", "users", "state.json is not a list of per-stream states"],
    ["an object", { users: {} }, "state.json is not a list of per-stream states"],
    ["a list of text", ["users"], "[0] is not an object"],
    ["a legacy state", [{ type: "LEGACY", data: {} }], `[0] ${legacy}`],
    ["a legacy state without a type", [{ data: { users: {} } }], `[0] ${legacy}`],
    [
      "a global state",
      [{ type: "GLOBAL", global: { shared_state: {}, stream_states: [] } }],
      `[0] ${legacy}`,
    ],
    ["a stream without a name", [{ type: "STREAM", stream: {} }], "[0] names no stream"],
    ["a state that is a list", [entry("users", [])], "[0] (users) stream_state is not an object"],
    [
      "a newer version",
      [entry("groups", blob), entry("users", { ...blob, version: 2 })],
      "[1] (users): state version 2 is newer than this program knows (1)",
    ],
    ["no version", [entry("users", { cursor: "x" })], "[0] (users): no version"],
    [
      "another connector's mark of a full read",
      [entry("users", { __ab_no_cursor_state_message: true })],
      "[0] (users): no version",
    ],
    [
      "a bookmark of another shape",
      [entry("users", { version: 1, number: 1, bookmark: { completedAt: "yesterday" } })],
      "bookmarks.users.completedAt is not of the expected shape",
    ],
    [
      "no bookmark",
      [entry("users", { version: 1, number: 1 })],
      "bookmarks.users is not an object",
    ],
  ])("%s", (_, value, what) => {
    expect(() => given(value)).toThrow(
      expect.objectContaining({ kind: "state", message: expect.stringContaining(what) }),
    );
  });
});
