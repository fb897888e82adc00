import { readFileSync } from "node:fs";

import { Ajv } from "ajv";
import { expect, test } from "vitest";

import { cursorOf } from "../../../src/core/declared.js";
import { automaticFields } from "../../../src/core/plan.js";
import { catalogOf, catalogText } from "../../../src/protocols/singer/catalog.js";
import { STREAMS } from "../../../streams/index.js";

/** The catalog that `--discover` prints. */

const { streams } = catalogOf(STREAMS);

const rootOf = (entry: (typeof streams)[number]) => entry.metadata.at(-1)!.metadata;

test("the catalog is the committed one, whatever the time zone", () => {
  const committed = readFileSync(new URL("../../../catalog.json", import.meta.url), "utf8");
  expect(catalogText(STREAMS)).toBe(committed);
});

test("every stream has a key, and replicates as it is declared", () => {
  for (const [i, def] of STREAMS.entries()) {
    const cursor = cursorOf(def);
    expect(streams[i]).toMatchObject({
      tap_stream_id: def.name,
      stream: def.name,
      key_properties: def.primaryKey,
      replication_method: cursor === null ? "FULL_TABLE" : "INCREMENTAL",
    });
    expect(streams[i]?.replication_key).toBe(cursor ?? undefined);
  }
});

test("incremental streams are ordered by observation, histories by their day", () => {
  const keys = streams.filter((s) => s.replication_key !== undefined);
  expect(Object.fromEntries(keys.map((s) => [s.stream, s.replication_key]))).toEqual({
    enrollments: "_observed_at",
    security_test_recipients: "_observed_at",
    risk_score_history: "date",
    group_risk_score_history: "date",
    user_risk_score_history: "date",
  });
});

test("metadata ends with the stream's own, which has every key that runners read", () => {
  for (const [i, def] of STREAMS.entries()) {
    const entry = streams[i]!;
    const cursor = cursorOf(def);
    expect(entry.metadata.at(-1)?.breadcrumb).toEqual([]);
    expect(entry.metadata.filter((m) => m.breadcrumb.length === 0)).toHaveLength(1);
    expect(rootOf(entry)).toEqual({
      inclusion: "available",
      "selected-by-default": def.selectedByDefault ?? true,
      "table-key-properties": def.primaryKey,
      "valid-replication-keys": cursor === null ? [] : [cursor],
      ...(cursor === null
        ? { "forced-replication-method": "FULL_TABLE" }
        : { "replication-key": cursor }),
    });
  }
});

test("keys, cursors and _observed_at are automatic, everything else is available", () => {
  for (const [i, def] of STREAMS.entries()) {
    const automatic = streams[i]!.metadata.filter((m) => m.metadata["inclusion"] === "automatic");
    expect(new Set(automatic.map((m) => m.breadcrumb.slice(1).join(".")))).toEqual(
      automaticFields(def),
    );
  }
});

test("every breadcrumb leads to a node of the schema, nested ones and items of lists too", () => {
  for (const entry of streams) {
    for (const { breadcrumb } of entry.metadata) {
      const node = breadcrumb.reduce<unknown>(
        (at, key) => (at as Record<string, unknown>)[key],
        entry.schema,
      );
      expect(node, breadcrumb.join(".")).toHaveProperty("type");
    }
  }
  const crumbs = streams.flatMap((s) => s.metadata.map((m) => m.breadcrumb.join(".")));
  expect(crumbs).toContain("properties.user.properties.email");
  expect(crumbs).toContain("properties.admins.items.properties.email");
});

test("personal data is tagged, nested fields too", () => {
  const tags = Object.fromEntries(
    streams
      .find((s) => s.stream === "enrollments")!
      .metadata.flatMap(({ breadcrumb, metadata }) =>
        metadata["pii"] === undefined ? [] : [[breadcrumb.join("."), metadata["pii"]]],
      ),
  );
  expect(tags).toMatchObject({
    "properties.user_id": "identifier",
    "properties.user.properties.email": "email",
    "properties.user.properties.first_name": "name",
    "properties.status": "behaviour",
  });
  expect(tags).not.toHaveProperty("properties.enrollment_id");
});

test("every schema is an object of typed properties, without unions or limits", () => {
  const ajv = new Ajv({ strict: false });
  for (const { schema } of streams) {
    expect(Object.keys(schema)).toEqual(["type", "properties"]);
    expect(ajv.validateSchema({ ...schema })).toBe(true);
    expect(JSON.stringify(schema)).not.toMatch(/"(anyOf|oneOf|maxLength|maximum|pattern|\$ref)":/);
    expect(JSON.stringify(schema)).not.toMatch(/"format":"(?!date-time"|date")/);
  }
});
