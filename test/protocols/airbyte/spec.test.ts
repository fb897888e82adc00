import { readFileSync } from "node:fs";

import fc from "fast-check";
import { expect, test } from "vitest";

import { connectionSpec } from "../../../src/config/connection-spec.js";
import { loadConfig } from "../../../src/config/load.js";
import { configSchema } from "../../../src/config/schema.js";
import { validator } from "./protocol.js";

/** The rules of Airbyte's connector acceptance tests for a specification, each by its name there. */

/** A node of a schema, of any shape. */
type Node = Readonly<Record<string, ReturnType<typeof JSON.parse>>>;

const spec = connectionSpec() as Node;
const schema: Node = spec["connectionSpecification"];

/** Every node that stands for a value, with its path; the whole first. */
function nodes(node: Node, path = ""): readonly (readonly [path: string, node: Node])[] {
  const below = [
    ...Object.entries<Node>(node["properties"] ?? {}).map(([key, n]) => [`${path}.${key}`, n]),
    ...(node["oneOf"] ?? []).map((n: Node, i: number) => [`${path}[${String(i)}]`, n]),
    ...(node["items"] === undefined ? [] : [[`${path}[]`, node["items"]]]),
  ] as const;
  return [[path, node], ...below.flatMap(([at, n]) => nodes(n as Node, at as string))];
}

/** Every key that stands anywhere. */
function keys(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return [...Object.keys(value), ...Object.values(value).flatMap(keys)];
}

/** The last part of a path. */
const nameOf = (path: string) => path.split(".").at(-1) ?? "";

const fields = nodes(schema).slice(1);
const typesOf = (node: Node): readonly string[] => [node["type"]].flat();

test("match_expected: the specification is the golden one", async () => {
  await expect(`${JSON.stringify(spec, null, 2)}\n`).toMatchFileSnapshot(
    "../../golden/airbyte/spec.json",
  );
});

test("config_match_spec: what the form can give is a configuration", () => {
  const given = { api_key: "key", region: "eu", start_date: "2026-01-31", max_rejects: 3 };

  expect(validator(schema)(given)).toBe(true);
  expect(loadConfig({ files: [], env: {}, overrides: given })).toMatchObject(given);
});

test("config_match_spec: every default and every example is one that the program takes", () => {
  for (const [name, node] of Object.entries<Node>(schema["properties"])) {
    for (const value of [node["default"], ...(node["examples"] ?? [])]) {
      if (value === undefined) continue;
      const given = { api_key: "key", [name]: value };
      expect(validator(schema)(given), name).toBe(true);
      expect(configSchema.safeParse(given).success, name).toBe(true);
    }
  }
});

test("every setting has a title and a description, and stands in a group that there is", () => {
  const groups = (schema["groups"] as Node[]).map((group) => group["id"]);

  for (const [path, node] of fields) {
    expect(node["title"], path).toMatch(/^[A-Z]/);
    expect(node["description"], path).toMatch(/\.$/);
  }
  for (const node of Object.values<Node>(schema["properties"])) {
    expect(groups).toContain(node["group"]);
  }
});

test("every setting but where the rows go is there, and none that the program does not know", () => {
  const { destination: _, ...known } = configSchema.shape;

  expect(Object.keys(schema["properties"])).toEqual(Object.keys(known));
  for (const path of ["rate_limit", "retry"] as const) {
    expect(Object.keys(schema["properties"][path].properties)).toEqual(
      Object.keys(configSchema.shape[path].unwrap().shape),
    );
  }
});

test("secret_is_properly_marked: the keys are secret, and nothing else is", () => {
  const secret = fields.filter(([, node]) => node["airbyte_secret"] === true);

  expect(secret.map(([path]) => path)).toEqual([".api_key", ".privacy.key"]);
  expect(typesOf(secret[0]![1])).toEqual(["string"]);
  const looksSecret = /^(.*_)?(token|key|secret|password|credentials)(_.*)?$|^tenant_id$/;
  for (const [path, node] of fields) {
    if (looksSecret.test(nameOf(path))) expect(node["airbyte_secret"], path).toBe(true);
  }
});

test("enum_usage: choices are distinct and have a default among them", () => {
  const choices = fields.filter(([, node]) => node["enum"] !== undefined);

  expect(choices.length).toBeGreaterThan(2);
  for (const [path, node] of choices) {
    const given = node["enum"] as readonly string[];
    expect(new Set(given).size, path).toBe(given.length);
    expect(given, path).toContain(node["default"]);
  }
});

test("oneof_usage: an alternative is an object, told apart by exactly one constant", () => {
  for (const [path, node] of nodes(schema).filter(([, n]) => n["oneOf"] !== undefined)) {
    expect(node["type"], path).toBe("object");
    const constants = (node["oneOf"] as Node[]).map((option) =>
      Object.entries<Node>(option["properties"]).filter(([, n]) => "const" in n),
    );
    expect(new Set(constants.map((c) => c.map(([name]) => name).join())).size, path).toBe(1);
    expect(new Set(constants.map(([c]) => c?.[1]["const"])).size, path).toBe(constants.length);
  }
});

test("property_type_is_not_array, array_type: a field has one type, or one and null", () => {
  for (const [path, node] of fields) {
    const types = typesOf(node).filter((type) => type !== "null");
    expect(types, path).toHaveLength(1);
    expect(["string", "number", "integer", "boolean", "object"], path).toContain(types[0]);
  }
});

test("object_not_empty: an object has fields", () => {
  for (const [path, node] of nodes(schema).filter(([, n]) => typesOf(n).includes("object"))) {
    expect(Object.keys(node["properties"] ?? {}).length, path).toBeGreaterThan(0);
  }
});

test.each([
  ...["not", "anyOf", "allOf", "if", "then", "else", "patternProperties", "prefixItems"],
  ...["dependentSchemas", "dependentRequired", "$ref", "$defs", "definitions"],
])("forbidden_complex_types, defined_refs_exist: no %s", (keyword) => {
  expect(keys(spec)).not.toContain(keyword);
});

test("additional_properties_is_true: it is never false", () => {
  for (const [path, node] of nodes(schema)) {
    expect([undefined, true], path).toContain(node["additionalProperties"]);
  }
});

test("duplicate_order, nested_group: each place is taken once, and groups are at the top only", () => {
  for (const [path, node] of nodes(schema)) {
    const below = Object.values<Node>(node["properties"] ?? {});
    const orders = below.map((n) => n["order"]);
    expect(orders.every(Number.isInteger), path).toBe(true);
    expect(new Set(orders).size, path).toBe(orders.length);
    if (path !== "") expect(below.map((n) => n["group"] as unknown)).toEqual(below.map(() => {}));
  }
});

test("date_pattern, date_format: a date says how it is written", () => {
  const dates = fields.filter(([, node]) => node["format"] !== undefined);

  expect(dates.map(([path]) => path)).toContain(".start_date");
  for (const [path, node] of dates) {
    expect(node, path).toMatchObject({ format: "date", pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" });
  }
});

test("required fields exist", () => {
  expect(schema["required"]).toEqual(["api_key"]);
  for (const name of schema["required"]) expect(schema["properties"]).toHaveProperty(name);
});

/** A value that a field of the form takes. */
function anyOf(node: Node): fc.Arbitrary<unknown> {
  const value = anyBut(node);
  return typesOf(node).includes("null") ? fc.option(value) : value;
}

function anyBut(node: Node): fc.Arbitrary<unknown> {
  const [type] = typesOf(node);
  const { minimum: min = 0, maximum: max = 10_000 } = node as Record<string, number>;
  if (node["enum"] !== undefined) return fc.constantFrom(...(node["enum"] as unknown[]));
  if (type === "integer") return fc.integer({ min, max });
  if (type === "number") return fc.double({ min, max, noNaN: true });
  if (node["examples"] !== undefined) return fc.constantFrom(...(node["examples"] as unknown[]));
  if (type !== "object") return fc.stringMatching(/^[a-zA-Z0-9]{1,40}$/);
  const below = Object.entries<Node>(node["properties"]).map(([name, n]) => [name, anyOf(n)]);
  return fc.record(Object.fromEntries(below), { requiredKeys: [] });
}

/** The form as version 0.1 had it. This file stays as it is: configurations outlive releases. */
function released(): Node {
  const url = new URL("../../golden/airbyte/spec-0.1.json", import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as Node)["connectionSpecification"] as Node;
}

test("backward_compatibility: any configuration of the specification before is still valid", () => {
  const old = released();
  const takes = { old: validator(old), now: validator(schema) };
  const { api_key, ...optional } = old["properties"] as Readonly<Record<string, Node>>;
  const given = fc.record(
    {
      api_key: anyOf(api_key!),
      ...Object.fromEntries(Object.entries(optional).map(([k, n]) => [k, anyOf(n)])),
    },
    { requiredKeys: ["api_key"] },
  );

  fc.assert(
    fc.property(given, (config) => {
      expect(takes.old(config), JSON.stringify(takes.old.errors)).toBe(true);
      expect(takes.now(config), JSON.stringify(takes.now.errors)).toBe(true);
      // A form may send what was left empty as null.
      const values = Object.entries(config).filter(([, value]) => value !== null);
      loadConfig({ files: [], env: {}, overrides: Object.fromEntries(values) });
    }),
    { numRuns: 100 },
  );
});

test("backward_compatibility: no setting is gone, has another type, or has become required", () => {
  const before = nodes(released());
  const now = new Map(fields);

  for (const [path, node] of before.slice(1)) {
    expect(now.has(path), `${path} is gone`).toBe(true);
    expect(typesOf(now.get(path)!), path).toEqual(expect.arrayContaining([...typesOf(node)]));
    expect(now.get(path)!["enum"] ?? [], path).toEqual(
      expect.arrayContaining([...(node["enum"] ?? [])]),
    );
  }
  for (const [path, node] of nodes(schema)) {
    const old = before.find(([at]) => at === path)?.[1];
    if (old !== undefined) expect(node["required"] ?? [], path).toEqual(old["required"] ?? []);
  }
});
