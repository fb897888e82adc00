import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { expect, test } from "vitest";

import { columnSchema, columnsOf, EXTRA, OBSERVED_AT } from "../../../src/core/columns.js";
import { stringify, type Json } from "../../../src/core/json.js";
import { normaliser, rowShape } from "../../../src/core/normalise.js";
import type { StreamDef } from "../../../src/core/stream.js";
import { enrolments, people, REGISTRY, results } from "../../support/streams.js";

/** Any JSON at all ends as exactly one row or one reject, and a row is what its schema says. */

const ajv = new Ajv({ strict: false, allErrors: true });
// The types of the package say what the module is, not what its default export is.
(addFormats as unknown as (instance: Ajv) => void)(ajv);

function validatorOf(def: StreamDef): ValidateFunction {
  const columns = columnsOf(def).filter((c) => c !== OBSERVED_AT);
  return ajv.compile({
    type: "object",
    properties: Object.fromEntries(columns.map((c) => [c.name, columnSchema(c)])),
    required: columns.map((c) => c.name),
    additionalProperties: false,
  });
}

function normalise(item: unknown, def: StreamDef) {
  const into = {
    rows: [] as Record<string, Json>[],
    rejects: [] as { reason: string; raw: Json }[],
  };
  normaliser(rowShape(def, columnsOf(def)), () => undefined)(item, {}, into);
  return into;
}

/** Values that come near to what is declared, beside any JSON. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    ...[null, "", "true", "0000-00-00", "2026-05-31", "2026-05-31T10:00:00+02:00", "9999-12-31"],
    ...["12", "-0", "1e5", "\ud800", "\u0000", 1e309, -0, 2 ** 53, 9007199254740993n, 10n ** 400n],
    ...[[], {}, [null], [1, "2", { id: 3 }], [["x"]], [[{ title: "t", start: "" }]]],
    ...[{ id: 1, email: "e", since: "never" }, { id: null }, { since: "2026-05-31" }],
  ),
);

/** Items whose keys are often declared ones. */
function anyItem(def: StreamDef): fc.Arbitrary<unknown> {
  const names = [
    ...Object.keys(def.schema.shape),
    ...Object.values(def.aliases ?? {}).flat(),
    ...["__proto__", "constructor", "toString", EXTRA.name, OBSERVED_AT.name],
  ];
  const key = fc.oneof(fc.constantFrom(...names), fc.string());
  const item = fc
    .tuple(fc.dictionary(key, value, { maxKeys: 12 }), fc.integer())
    .map(([members, id]): unknown => ({
      ...Object.fromEntries(def.primaryKey.map((name) => [name, id])),
      ...members,
    }));
  return fc.oneof({ arbitrary: item, weight: 9 }, { arbitrary: value, weight: 1 });
}

/** Large integers as JSON Schema sees them: ajv knows no bigint. */
function asJson(row: Readonly<Record<string, Json>>): unknown {
  return JSON.parse(stringify(row));
}

test.each(REGISTRY.map((def) => [def.name, def] as const))(
  "any item of %s ends as exactly one row or one reject",
  (_, def) => {
    fc.assert(
      fc.property(anyItem(def), (item) => {
        const { rows, rejects } = normalise(item, def);

        expect(rows.length + rejects.length).toBe(1);
      }),
      { numRuns: 150 },
    );
  },
);

test.each([people, results, enrolments].map((def) => [def.name, def] as const))(
  "any row of %s validates against the stream's JSON schema, and none is only half there",
  (_, def) => {
    const validate = validatorOf(def);
    const keys = columnsOf(def).flatMap((c) => (c === OBSERVED_AT ? [] : [c.name]));

    fc.assert(
      fc.property(anyItem(def), (item) => {
        for (const row of normalise(item, def).rows) {
          const valid = validate(asJson(row));

          expect(valid ? [] : validate.errors).toEqual([]);
          expect(Object.keys(row)).toEqual(keys);
        }
      }),
      { numRuns: 400 },
    );
  },
);

/** A lone surrogate as JSON escapes it, and not a backslash of the text before the same letters. */
const LONE = /(?<!\\)((?:\\\\)*)\\ud[89a-f]../g;

test("any row and any reject can be written as UTF-8 JSON and read again unchanged", () => {
  fc.assert(
    fc.property(anyItem(people), (item) => {
      const { rows, rejects } = normalise(item, people);

      const text = stringify([...rows, ...rejects.map((r) => r.raw)]);
      expect(text.isWellFormed()).toBe(true);
      expect(text.match(LONE)).toBeNull();
      expect(stringify(JSON.parse(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
    { numRuns: 200, examples: [[{ id: { "\\ud800": "\ud800" } }]] },
  );
});

test("no value of an item that is rejected is in the reason", () => {
  const canary = "canary-4711";
  const bad = fc.constantFrom<unknown>(canary, [canary], { [canary]: canary }, [[canary]]);
  const names = Object.keys(people.schema.shape);

  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), bad), (item) => {
      for (const { reason } of normalise(item, people).rejects)
        expect(reason).not.toContain(canary);
    }),
  );
});

test("any undeclared field that a row had is in its _extra, under its name and with its value", () => {
  const name = fc.string({ minLength: 1 }).filter((key) => key.isWellFormed());
  const known = new Set([
    ...Object.keys(people.schema.shape),
    ...["adi_managed", "directory", "full-name"],
  ]);

  fc.assert(
    fc.property(fc.dictionary(name, fc.jsonValue()), (fields) => {
      const undeclared = Object.entries(fields).filter(([key]) => !known.has(key));
      const item = Object.fromEntries([...undeclared, ["id", 1]]);

      const [row] = normalise(item, people).rows;

      const expected = undeclared.length === 0 ? null : Object.fromEntries(undeclared);
      expect(JSON.stringify(row?.["_extra"])).toBe(
        JSON.stringify(expected).replaceAll(LONE, "$1\ufffd"),
      );
    }),
    { examples: [[{ "\\ud800": "\ud800" }]] },
  );
});
