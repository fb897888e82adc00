import { expect, test } from "vitest";
import { z } from "zod";

import { columnSchema, columnsOf } from "../../src/core/columns.js";
import { anything, day, id, instant, integer, list, object, text } from "../../src/core/fields.js";
import { defineStream } from "../../src/core/stream.js";
import { people, REGISTRY } from "../support/streams.js";

/** Columns and JSON Schema, derived from a stream's declaration. */

const streamOf = (shape: z.core.$ZodLooseShape) =>
  defineStream({
    name: "things",
    description: "Things.",
    docs: "https://example.org",
    path: "/v1/things",
    schema: z.object({ id: id("The thing."), ...shape }),
    primaryKey: ["id"],
    replication: { mode: "full_table" },
  });

const schemaOf = (type: z.ZodType) => columnSchema(columnsOf(streamOf({ field: type }))[1]!);

test("a stream's columns are its fields in order, then _extra and _observed_at", () => {
  expect(columnsOf(people).map((c) => c.name)).toEqual([
    ...Object.keys(people.schema.shape),
    ...["_extra", "_observed_at"],
  ]);
});

test("only keys and our own instant are never null", () => {
  for (const def of REGISTRY) {
    const never = columnsOf(def).filter((c) => !c.nullable);
    expect(never.map((c) => c.name)).toEqual([...def.primaryKey, "_observed_at"]);
  }
});

test("a list says what its items are", () => {
  expect(schemaOf(list("L.", text("T.")))).toMatchObject({ items: { type: ["string", "null"] } });
  expect(schemaOf(list("L.", integer("I.")))).toMatchObject({
    items: { type: ["integer", "null"] },
  });
  expect(schemaOf(list("L.", instant("I.")))).toMatchObject({
    items: { type: ["string", "null"], format: "date-time" },
  });
  expect(schemaOf(list("L.", object("O.", { at: day("D.") })))).toMatchObject({
    items: {
      type: ["object", "null"],
      properties: { at: { type: ["string", "null"], format: "date" } },
    },
  });
});

test("a list whose items are not declared is refused where it is declared", () => {
  expect(() => columnsOf(streamOf({ field: list("L.", z.string()) }))).toThrow("things.field");
  expect(() => columnsOf(streamOf({ field: list("L.", list("M.", text("T."))) }))).toThrow(
    "things.field",
  );
});

test("a field that was not declared with a function of fields.ts is refused", () => {
  expect(() => columnsOf(streamOf({ field: z.string() }))).toThrow("things.field");
});

test("a value of any shape may be anything in the schema too", () => {
  expect(schemaOf(anything("A.")).type).toEqual([
    ...["object", "array", "string", "number", "boolean", "null"],
  ]);
});

test("every part of every schema has a type, and no rule that makes a target drop the column", () => {
  const check = (schema: Readonly<Record<string, unknown>>): void => {
    expect(Object.keys(schema)).toContain("type");
    const known = ["type", "format", "description", "items", "properties", "additionalProperties"];
    expect(Object.keys(schema).filter((key) => !known.includes(key))).toEqual([]);
    if (schema["items"] !== undefined) check(schema["items"] as typeof schema);
    const members = Object.values((schema["properties"] ?? {}) as Record<string, typeof schema>);
    for (const member of members) check(member);
  };

  for (const def of REGISTRY) {
    for (const column of columnsOf(def)) check({ ...columnSchema(column) });
  }
});

test("a stream's name must fit every destination", () => {
  const named = (name: string) => () => defineStream({ ...streamOf({}), name } as never);

  expect(named("Things")).toThrow(RangeError);
  expect(named("1st")).toThrow(RangeError);
  expect(named("x".repeat(64))).toThrow(RangeError);
  expect(named("x".repeat(63))).not.toThrow();
});
