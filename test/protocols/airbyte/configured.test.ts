import { describe, expect, test } from "vitest";

import { airbyteCatalog } from "../../../src/protocols/airbyte/catalog.js";
import { readConfigured } from "../../../src/protocols/airbyte/configured.js";
import { STREAMS } from "../../../streams/index.js";

/** What a platform asks for. */

const given = (catalog: unknown) => readConfigured(catalog, STREAMS, "catalog.json");

interface Stream {
  readonly name: string;
  readonly json_schema: { readonly properties: Readonly<Record<string, unknown>> };
}
const discovered = airbyteCatalog(STREAMS)["streams"] as readonly Stream[];

/** An entry with these columns only. */
function entry(name: string, mode: unknown, columns?: readonly string[], more: object = {}) {
  const stream = discovered.find((s) => s.name === name) ?? { name };
  const properties = Object.fromEntries((columns ?? []).map((column) => [column, {}]));
  const schema = columns === undefined ? {} : { json_schema: { type: "object", properties } };
  return { stream: { ...stream, ...schema }, sync_mode: mode, ...more };
}

test("all that discover prints can be asked for, whole", () => {
  const streams = discovered.map(({ name }) => entry(name, "full_refresh"));

  const { selections, unknown, wholeOnly } = given({ streams });

  expect(selections).toEqual(
    discovered.map(({ name }) => ({ stream: name, deselected: new Set(), fullRefresh: true })),
  );
  expect([unknown.size, wholeOnly]).toEqual([0, []]);
});

test("incremental goes on from the state; a stream that cannot is read whole, and told", () => {
  const { selections, wholeOnly } = given({
    streams: [entry("enrollments", "incremental"), entry("users", "incremental")],
  });

  expect(selections.map((s) => s.fullRefresh)).toEqual([false, false]);
  expect(wholeOnly).toEqual(["users"]);
});

test("columns that the schema leaves out are left out, but never keys and cursors", () => {
  const [recipients, history] = given({
    streams: [
      entry("security_test_recipients", "incremental", ["clicked_at", "no_such_column"]),
      entry("group_risk_score_history", "incremental", ["risk_score"]),
    ],
  }).selections;

  expect(recipients?.deselected).toContain("user");
  expect(recipients?.deselected).toContain("_extra");
  for (const kept of ["clicked_at", "pst_id", "recipient_id", "_observed_at"]) {
    expect(recipients?.deselected).not.toContain(kept);
  }
  expect(history?.deselected).toEqual(new Set(["_extra"]));
});

test.each([
  ["no schema", undefined],
  ["null", null],
  ["an empty schema", {}],
  ["no properties", { type: "object", properties: {} }],
  ["null for properties", { type: "object", properties: null }],
])("%s selects every column", (_, schema) => {
  const asked = { stream: { name: "users", json_schema: schema }, sync_mode: "full_refresh" };

  expect(given({ streams: [asked] }).selections[0]?.deselected).toEqual(new Set());
});

test("nulls and keys that are not ours are as good as absent", () => {
  const nulls = {
    cursor_field: null,
    primary_key: null,
    generation_id: null,
    destination_sync_mode: null,
    include_files: null,
    more: { of: "this" },
  };
  const { stream, ...rest } = entry("users", "full_refresh", undefined, nulls);
  const asked = { ...rest, stream: { ...stream, namespace: null, is_file_based: null } };

  expect(given({ streams: [asked], more: null }).selections).toEqual([
    { stream: "users", deselected: new Set(), fullRefresh: true },
  ]);
});

test("streams that do not exist are told by name, and the others are read", () => {
  const { selections, unknown } = given({
    streams: [entry("user", "full_refresh"), entry("users", "full_refresh")],
  });

  expect(selections.map((s) => s.stream)).toEqual(["users"]);
  expect([...unknown.keys()]).toEqual(["user"]);
  expect(unknown.get("user")).toMatchObject({
    kind: "config",
    message: 'unknown stream "user"',
    hint: 'did you mean "users"?',
  });
});

test("no streams at all are nothing to read", () => {
  expect(given({ streams: [] })).toEqual({
    selections: [],
    unknown: new Map(),
    wholeOnly: [],
    incremental: new Map(),
  });
});

describe("is refused, and says where and what:", () => {
  test.each<readonly [string, unknown, string]>([
    ["a list", [], "catalog.json is not a JSON object"],
    ["null", null, "catalog.json is not a JSON object"],
    ["no streams", {}, "catalog.json: streams is not a list"],
    ["streams by name", { streams: { users: {} } }, "catalog.json: streams is not a list"],
    ["a name in place of a stream", { streams: ["users"] }, "streams[0] is not an object"],
    ["a catalog of discover", { streams: [{ name: "users" }] }, "streams[0].stream is not an"],
    [
      "a stream without a name",
      { streams: [entry("", "full_refresh")] },
      "streams[0].stream has no name",
    ],
    [
      "an impossible sync mode",
      { streams: [entry("users", "INVALID")] },
      "streams[0] (users): sync_mode must be full_refresh or incremental",
    ],
    [
      "an impossible sync mode of a stream that does not exist",
      { streams: [entry("planets", "INVALID")] },
      "streams[0] (planets): sync_mode must be",
    ],
    ["no sync mode", { streams: [entry("users", null)] }, "(users): sync_mode must be"],
    [
      "a stream twice",
      { streams: [entry("users", "full_refresh"), entry("users", "full_refresh")] },
      "streams[1] (users) is in the catalog twice",
    ],
  ])("%s", (_, catalog, what) => {
    expect(() => given(catalog)).toThrow(
      expect.objectContaining({ kind: "config", message: expect.stringContaining(what) }),
    );
  });
});
