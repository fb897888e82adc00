import { describe, expect, test } from "vitest";

import { ConnectorError } from "../../../src/core/errors.js";
import type { JsonObject } from "../../../src/core/json.js";
import { readSelection } from "../../../src/protocols/singer/selection.js";
import { STREAMS } from "../../../streams/index.js";
import { givenStream as stream } from "./support.js";

/** Catalogs that cannot be obeyed: each gets one line that names the place. */

const read = (...streams: readonly unknown[]) =>
  readSelection({ streams }, STREAMS, "catalog.json");

function failure(run: () => unknown): ConnectorError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("faults", () => {
  test("a selected stream that does not exist is an error, with the nearest name", () => {
    const error = failure(() => read(stream("enrolments", { selected: true })));
    expect(error).toMatchObject({
      kind: "config",
      message: 'unknown stream "enrolments"',
      hint: 'did you mean "enrollments"?',
    });
  });

  test("a stream that does not exist and is not wanted is no fault", () => {
    expect(read(stream("enrolments", { selected: false }))).toEqual([]);
  });

  const selected = (more: JsonObject) => stream("groups", { selected: true }, {}, more);
  const root = (more: JsonObject) => stream("groups", { selected: true, ...more });

  test.each<[string, unknown]>([
    ["catalog.json is not a JSON object", []],
    ["catalog.json: streams is not a list", {}],
    ["catalog.json: streams is not a list", { streams: { users: {} } }],
    ["catalog.json: streams[0] is not an object", { streams: ["users"] }],
    ["catalog.json: streams[0] has no tap_stream_id", { streams: [{ schema: {} }] }],
    ["catalog.json: streams[1] (groups) is in the catalog twice", twice(selected({}))],
    ["catalog.json: streams[0] (groups).schema is not an object", one(selected({ schema: 1 }))],
    ["catalog.json: streams[0] (groups).metadata is not a list", one(selected({ metadata: {} }))],
    [
      "catalog.json: streams[0] (groups).metadata[0].breadcrumb is not a list of names",
      one(selected({ metadata: [{ breadcrumb: "properties", metadata: {} }] })),
    ],
    [
      "catalog.json: streams[0] (groups).metadata[0].metadata is not an object",
      one(selected({ metadata: [{ breadcrumb: [] }] })),
    ],
    [
      "catalog.json: streams[0] (groups): selected is neither true nor false",
      one(stream("groups", { selected: "maybe" })),
    ],
    [
      "catalog.json: streams[0] (groups): name: selected is neither true nor false",
      one(stream("groups", { selected: true }, { name: { selected: 1 } })),
    ],
    [
      "catalog.json: streams[0] (groups): replication-method must be FULL_TABLE or INCREMENTAL",
      one(root({ "replication-method": "LOG_BASED" })),
    ],
    [
      "catalog.json: streams[0] (groups): replication-key cannot be set: the stream has none",
      one(root({ "replication-key": "name" })),
    ],
    [
      'catalog.json: streams[0] (enrollments): replication_key must be "_observed_at"',
      one(stream("enrollments", { selected: true }, {}, { replication_key: "start_date" })),
    ],
    [
      "catalog.json: streams[0] (groups): table-key-properties must be id",
      one(root({ "table-key-properties": ["name"] })),
    ],
    [
      "catalog.json: streams[0] (group_members): key_properties must be group_id, user_id",
      one(stream("group_members", { selected: true }, {}, { key_properties: ["group_id"] })),
    ],
  ])("%s", (message, catalog) => {
    const error = failure(() => readSelection(catalog, STREAMS, "catalog.json"));
    expect(error).toMatchObject({ kind: "config", message: `config: ${message}` });
    expect(error.hint).toBeDefined();
  });

  test("keys may be listed in any order", () => {
    const keys = { key_properties: ["user_id", "group_id"] };
    expect(read(stream("group_members", { selected: true }, {}, keys))).toHaveLength(1);
  });
});

function one(given: unknown) {
  return { streams: [given] };
}

function twice(given: unknown) {
  return { streams: [given, given] };
}
