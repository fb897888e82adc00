import { describe, expect, test } from "vitest";

import type { JsonObject } from "../../../src/core/json.js";
import { makePlan, type Selection } from "../../../src/core/plan.js";
import { EMPTY_STATE } from "../../../src/core/state.js";
import { catalogOf } from "../../../src/protocols/singer/catalog.js";
import { defaultSelection, readSelection } from "../../../src/protocols/singer/selection.js";
import { STREAMS } from "../../../streams/index.js";
import { givenStream as stream } from "./support.js";

/** What a catalog selects, case by case. */

const read = (...streams: readonly unknown[]) =>
  readSelection({ streams }, STREAMS, "catalog.json");

const names = (selections: readonly Selection[]) => selections.map((s) => s.stream);

const left = (selections: readonly Selection[]) => [...(selections[0]?.deselected ?? [])].sort();

describe("streams", () => {
  test("without a catalog every stream is read that is not off by default", () => {
    const off = ["group_risk_score_history", "user_risk_score_history"];
    expect(names(defaultSelection(STREAMS))).toEqual(
      STREAMS.map((def) => def.name).filter((name) => !off.includes(name)),
    );
    expect(defaultSelection(STREAMS)[0]).toEqual({
      stream: "users",
      deselected: new Set(),
      fullRefresh: false,
    });
  });

  test("our own catalog, unedited, selects what is selected without one", () => {
    expect(readSelection(catalogOf(STREAMS), STREAMS, "c")).toEqual(defaultSelection(STREAMS));
  });

  test("a stream that is not in the catalog is not read", () => {
    expect(names(read(stream("groups", { selected: true })))).toEqual(["groups"]);
    expect(read()).toEqual([]);
  });

  test.each([
    ["selected", { selected: true }, true],
    ["deselected", { selected: false }, false],
    ["on by default", { "selected-by-default": true }, true],
    ["off by default", { "selected-by-default": false }, false],
    ["selected against the default", { selected: true, "selected-by-default": false }, true],
    ["deselected against the default", { selected: false, "selected-by-default": true }, false],
    ["null, which says nothing", { selected: null, "selected-by-default": true }, true],
    ["neither", { inclusion: "available" }, false],
    ["automatic", { inclusion: "automatic", selected: false }, true],
    ["unsupported", { inclusion: "unsupported", selected: true }, false],
    ["text true", { selected: "true" }, true],
    ["text false", { selected: "False" }, false],
    ["text default", { "selected-by-default": "true" }, true],
  ])("a stream that is %s", (_what, root, selected) => {
    expect(names(read(stream("groups", root)))).toEqual(selected ? ["groups"] : []);
  });

  test("a stream without any metadata is selected whole", () => {
    expect(left(read({ stream: "groups", metadata: [] }))).toEqual([]);
    expect(names(read({ tap_stream_id: "groups" }))).toEqual(["groups"]);
  });

  test("a stream with metadata of fields only is not selected", () => {
    expect(read(stream("groups", null, { name: { selected: true } }))).toEqual([]);
  });

  test("a child is selected without its parent", () => {
    const selected = read(stream("group_members", { selected: true }), stream("groups", {}));
    const plan = makePlan(STREAMS, selected, EMPTY_STATE);
    expect(plan.streams.filter((s) => s.emit).map((s) => s.def.name)).toEqual(["group_members"]);
  });
});

describe("fields", () => {
  test("a deselected field is left out, a nested one by its path", () => {
    const selected = read(
      stream(
        "enrollments",
        { selected: true },
        { score: { selected: false }, "user.email": { selected: "false" } },
      ),
    );
    expect(left(selected)).toEqual(["score", "user.email"]);
  });

  test("what is in a deselected field is left out too", () => {
    const user = { user: { selected: false }, "user.email": { selected: true } };
    expect(left(read(stream("enrollments", { selected: true }, user)))).toEqual([
      ...["user", "user.email", "user.employee_number", "user.first_name", "user.id"],
      "user.last_name",
    ]);
  });

  test("a member of the objects in a list is left out by its breadcrumb", () => {
    const breadcrumb = ["properties", "admins", "items", "properties", "email"];
    const account = stream("account", { selected: true });
    const metadata = [{ breadcrumb, metadata: { selected: false } }, ...account.metadata];
    expect(left(read({ ...account, metadata }))).toEqual(["admins.email"]);
  });

  test("a field that is off by default is left out, an unsupported one in any case", () => {
    const fields = {
      name: { "selected-by-default": false },
      status: { inclusion: "unsupported", selected: true },
      group_type: { inclusion: "automatic", selected: false },
    };
    expect(left(read(stream("groups", { selected: true }, fields)))).toEqual(["name", "status"]);
  });

  test("keys and cursors stay, whatever is said of them", () => {
    const no = { selected: false };
    expect(left(read(stream("groups", { selected: true }, { id: no, _observed_at: no })))).toEqual(
      [],
    );
    expect(left(read(stream("risk_score_history", { selected: true }, { date: no })))).toEqual([]);
  });

  test("a schema narrower than ours prunes, in nested objects and lists as well", () => {
    const schema = {
      type: "object",
      properties: {
        campaign_id: { type: "integer" },
        name: {},
        psts: { type: ["array", "null"], items: { properties: { status: {} } } },
        groups: { type: ["array", "null"], items: { type: "object" } },
      },
    };
    const selected = read(stream("campaigns", { selected: true }, {}, { schema }));
    const plan = makePlan(STREAMS, selected, EMPTY_STATE);
    const columns = plan.streams[0]!.columns;

    expect(columns.map((c) => c.name)).toEqual([
      ...["campaign_id", "name", "groups", "psts", "_observed_at"],
    ]);
    expect(columns.map((c) => c.members?.map((m) => m.name))).toEqual([
      undefined,
      undefined,
      ["group_id", "name"],
      ["status"],
      undefined,
    ]);
  });

  test("a schema that says nothing of properties narrows nothing", () => {
    for (const schema of [{}, { type: "object" }, null]) {
      expect(left(read(stream("groups", { selected: true }, {}, { schema })))).toEqual([]);
    }
  });
});

describe("properties files", () => {
  const schema = {
    selected: true,
    properties: {
      enrollment_id: {},
      score: { selected: false },
      status: { selected: "true" },
      user: { properties: { id: {}, email: { selected: false } } },
    },
  };

  test("selected within the schema's nodes is read", () => {
    const deselected = left(read({ stream: "enrollments", schema }));
    expect(deselected).toContain("score");
    expect(deselected).toContain("user.email");
    expect(deselected).not.toContain("status");
    expect(deselected).not.toContain("user.id");
  });

  test("a stream whose schema is not selected is not read, though its fields are", () => {
    const properties = { id: { selected: true } };
    expect(read({ stream: "groups", schema: { properties } })).toEqual([]);
    expect(read({ stream: "groups", schema: { selected: false, properties } })).toEqual([]);
  });

  test("metadata wins over the schema's nodes", () => {
    const fields = { score: { selected: true } };
    expect(left(read(stream("enrollments", {}, fields, { schema })))).not.toContain("score");
    expect(read(stream("enrollments", { selected: false }, {}, { schema }))).toEqual([]);
  });
});

describe("replication", () => {
  const refresh = (root: JsonObject, more: JsonObject = {}, name = "enrollments") =>
    read(stream(name, { selected: true, ...root }, {}, more))[0]?.fullRefresh;

  test("FULL_TABLE asks for everything, in either spelling and either place", () => {
    expect(refresh({ "replication-method": "FULL_TABLE" })).toBe(true);
    expect(refresh({ replication_method: "FULL_TABLE" })).toBe(true);
    expect(refresh({}, { replication_method: "FULL_TABLE" })).toBe(true);
    expect(refresh({}, { "replication-method": "FULL_TABLE" })).toBe(true);
    expect(refresh({}, { replication_method: "INCREMENTAL" })).toBe(false);
    expect(refresh({})).toBe(false);
  });

  test("the user's metadata wins over what the stream says", () => {
    const full = { replication_method: "FULL_TABLE" };
    expect(refresh({ "replication-method": "INCREMENTAL" }, full)).toBe(false);
  });

  test("a forced method cannot be overridden", () => {
    const forced = { "forced-replication-method": "INCREMENTAL" };
    expect(refresh({ ...forced, "replication-method": "FULL_TABLE" })).toBe(false);
  });

  test("a stream that is read in full anyway is not refreshed", () => {
    expect(refresh({ "replication-method": "FULL_TABLE" }, {}, "groups")).toBe(false);
    expect(refresh({ "replication-method": "INCREMENTAL" }, {}, "groups")).toBe(false);
  });
});

test("a key is read of a selected stream only", () => {
  expect(read(stream("users", { selected: false }, { id: { inclusion: "automatic" } }))).toEqual(
    [],
  );
});
