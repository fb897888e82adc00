import { expect, test } from "vitest";

import { columnsOf } from "../../../src/core/columns.js";
import { rowSchema } from "../../../src/protocols/singer/catalog.js";
import { columnsFromSchema } from "../../../src/protocols/singer/foreign.js";
import { STREAMS } from "../../../streams/index.js";

/** Columns from the JSON Schemas that other taps write. */

const typeOf = (node: unknown) => columnsFromSchema({ properties: { field: node } })[0]?.type;

test.each([
  ["integer", { type: "integer" }],
  ["integer", { type: ["null", "integer"] }],
  ["integer", { type: ["integer"], minimum: -2147483648, maximum: 2147483647 }],
  ["number", { type: ["number", "null"], multipleOf: 0.01 }],
  ["number", { type: ["integer", "number", "null"] }],
  ["boolean", { type: ["boolean", "null"] }],
  ["string", { type: "string", maxLength: 20 }],
  ["string", { type: "string", format: "uuid" }],
  ["string", { type: "string", format: "time" }],
  ["timestamp", { type: ["string", "null"], format: "date-time" }],
  ["date", { type: "string", format: "date" }],
  ["timestamp", { anyOf: [{ type: "string", format: "date-time" }, { type: "null" }] }],
  ["timestamp", { type: ["null"], anyOf: [{ type: "string", format: "date-time" }] }],
  ["integer", { oneOf: [{ type: "null" }, { type: "integer" }] }],
  ["number", { anyOf: [{ type: "integer" }, { type: "number" }, { type: "null" }] }],
  ["string", { anyOf: [{ type: "string", format: "date-time" }, { type: ["string", "null"] }] }],
  [
    "string",
    {
      anyOf: [
        { type: "string", format: "date" },
        { type: "string", format: "date-time" },
      ],
    },
  ],
  ["string", { type: ["string", "integer", "null"] }],
  ["string", { type: ["boolean", "integer"] }],
  ["string", { enum: ["a", "b", null] }],
  ["integer", { const: 3 }],
  ["number", { enum: [1, 2.5] }],
  ["json", { type: ["object", "null"], properties: { a: { type: "string" } } }],
  ["json", { type: "array", items: { type: "string" } }],
  ["json", { type: ["string", "object"] }],
  ["json", { anyOf: [{ type: "array" }, { type: "null" }] }],
  ["json", { type: "null" }],
  ["json", { $ref: "#/definitions/x" }],
  ["json", {}],
  ["json", true],
])("a column is %s for %j", (type, node) => {
  expect(typeOf(node)).toBe(type);
});

test("only keys are not nullable, whatever the schema promises", () => {
  const schema = {
    properties: { id: { type: "integer" }, name: { type: "string", description: "Name." } },
    required: ["name"],
  };
  expect(columnsFromSchema(schema, ["id"])).toEqual([
    { name: "id", type: "integer", nullable: false, description: "" },
    { name: "name", type: "string", nullable: true, description: "Name." },
  ]);
});

test("our own schemas come back as the columns that they were made from", () => {
  for (const def of STREAMS) {
    const columns = columnsOf(def);
    const keys = [...def.primaryKey, "_observed_at"];
    const read = columnsFromSchema({ ...rowSchema(columns) }, keys);
    expect(read).toEqual(
      columns.map(({ name, type, nullable, description }) => ({
        name,
        type,
        nullable,
        description,
      })),
    );
  }
});
