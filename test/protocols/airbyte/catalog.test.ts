import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { airbyteCatalog } from "../../../src/protocols/airbyte/catalog.js";
import { STREAMS } from "../../../streams/index.js";
import { validator } from "./protocol.js";

/** The rules of Airbyte's connector acceptance tests for a catalog, each by its name there. */

/** A node of a schema, of any shape. */
type Node = Readonly<Record<string, ReturnType<typeof JSON.parse>>>;

interface Stream {
  readonly name: string;
  readonly json_schema: Node;
  readonly supported_sync_modes: readonly string[];
  readonly source_defined_cursor?: boolean;
  readonly default_cursor_field?: readonly string[];
  readonly source_defined_primary_key: readonly (readonly [string, ...string[]])[];
  readonly is_resumable: boolean;
}

const streams = airbyteCatalog(STREAMS)["streams"] as readonly Stream[];

/** Every node that stands for a value, with its path; the row first. */
function nodes(node: Node, path: string): readonly (readonly [path: string, node: Node])[] {
  const { items } = node;
  return [
    [path, node] as const,
    ...Object.entries<Node>(node["properties"] ?? {}).flatMap(([key, n]) =>
      nodes(n, `${path}.${key}`),
    ),
    ...(items === undefined ? [] : nodes(items as Node, `${path}[]`)),
  ];
}

const all = streams.flatMap((stream) => nodes(stream.json_schema, stream.name));
const columnOf = (stream: Stream, name: string): Node => stream.json_schema["properties"][name];
const typesOf = (node: Node): readonly string[] =>
  [node["type"]].flat().filter((type) => type !== "null");

test("discover: the catalog is the golden one, and the same bytes every time", async () => {
  const text = JSON.stringify(airbyteCatalog(STREAMS), null, 2);

  await expect(`${text}\n`).toMatchFileSnapshot("../../golden/airbyte/catalog.json");
  expect(JSON.stringify(airbyteCatalog(STREAMS), null, 2)).toBe(text);
});

test("discover: there are streams, and no name comes twice", () => {
  expect(streams.map((stream) => stream.name)).toEqual(STREAMS.map((def) => def.name));
  expect(new Set(streams.map((stream) => stream.name)).size).toBe(streams.length);
});

test("streams_have_valid_json_schemas: each is an object by draft 7", () => {
  for (const stream of streams) {
    const schema = stream.json_schema;
    expect(schema).toMatchObject({
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
    });
    expect(() => validator(schema)).not.toThrow();
  }
});

test("defined_cursors_exist_in_schema: a cursor is a column that can be ordered", () => {
  const incremental = streams.filter((s) => s.supported_sync_modes.includes("incremental"));

  expect(incremental.length).toBeGreaterThan(3);
  for (const stream of incremental) {
    const [name = "", ...deeper] = stream.default_cursor_field ?? [];
    expect(deeper).toEqual([]);
    expect(columnOf(stream, name)["format"], stream.name).toMatch(/^date(-time)?$/);
  }
});

test("primary_keys_exist_in_schema, primary_keys_data_type: keys are plain and never null", () => {
  for (const stream of streams) {
    expect(stream.source_defined_primary_key.length).toBeGreaterThan(0);
    for (const [name, ...deeper] of stream.source_defined_primary_key) {
      expect(deeper).toEqual([]);
      const types = [columnOf(stream, name)["type"]].flat();
      expect(["string", "integer"], `${stream.name}.${name}`).toContain(types.join());
    }
  }
});

test("streams_has_sync_modes: a stream without a cursor is read whole, and says so throughout", () => {
  for (const stream of streams) {
    const { supported_sync_modes: modes, source_defined_cursor: own, is_resumable } = stream;
    const isIncremental = modes.includes("incremental");
    expect(modes).toContain("full_refresh");
    expect(own ?? false, stream.name).toBe(isIncremental);
    expect("default_cursor_field" in stream, stream.name).toBe(isIncremental);
    expect(is_resumable, stream.name).toBe(isIncremental);
  }
});

test("defined_refs_exist_in_schema, defined_keyword_exist_in_schema: no $ref, allOf, anyOf, not", () => {
  for (const [path, node] of all) {
    for (const keyword of ["$ref", "allOf", "anyOf", "oneOf", "not"]) {
      expect(node, path).not.toHaveProperty(keyword);
    }
  }
});

test("additional_properties_is_true: it is never false", () => {
  for (const [path, node] of all) {
    expect([undefined, true], path).toContain(node["additionalProperties"]);
  }
});

test("catalog_has_supported_data_types: each value has one type of the protocol's list", () => {
  const supported = new Set(
    ["boolean", "integer", "number", "object", "array", "string", "string date"].concat(
      "string date-time timestamp_with_timezone",
    ),
  );
  for (const [path, node] of all) {
    const types = typesOf(node);
    expect(types, path).toHaveLength(1);
    const said = [types[0], node["format"], node["airbyte_type"]].filter(Boolean).join(" ");
    expect(supported, path).toContain(said);
  }
});

test("catalog_has_supported_data_types: every instant says that it has a zone", () => {
  const instants = all.filter(([, node]) => node["format"] === "date-time");

  expect(instants.length).toBeGreaterThan(30);
  for (const [path, node] of instants) {
    expect(node["airbyte_type"], path).toBe("timestamp_with_timezone");
  }
  for (const [path, node] of all) {
    if (node["format"] !== "date-time") expect(node, path).not.toHaveProperty("airbyte_type");
  }
});

test("every stream and every column of it is described", () => {
  for (const stream of streams) {
    expect(stream.json_schema["description"], stream.name).toMatch(/\.$/);
    for (const [name, node] of Object.entries<Node>(stream.json_schema["properties"])) {
      expect(node["description"], `${stream.name}.${name}`).toMatch(/\.$/);
    }
  }
});

test("backward_compatibility: no stream, column, type, key or cursor of the catalog before is gone", () => {
  const { streams: before } = JSON.parse(
    readFileSync(new URL("../../golden/airbyte/catalog-0.1.json", import.meta.url), "utf8"),
  ) as {
    readonly streams: readonly (Stream & { readonly types: Readonly<Record<string, string>> })[];
  };
  const now = new Map(all);

  for (const old of before) {
    const stream = streams.find((s) => s.name === old.name);
    expect(stream, old.name).toBeDefined();
    for (const key of ["source_defined_primary_key", "default_cursor_field"] as const) {
      expect(stream![key], `${old.name} ${key}`).toEqual(old[key]);
    }
    expect(stream!["supported_sync_modes"]).toEqual(
      expect.arrayContaining([...old.supported_sync_modes]),
    );
    for (const [path, type] of Object.entries(old.types)) {
      expect([now.get(path)?.["type"]].flat().join("|"), path).toBe(type);
    }
  }
});
