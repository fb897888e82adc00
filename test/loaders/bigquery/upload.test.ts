import fc from "fast-check";
import { expect, test } from "vitest";

import { stringify, type Json } from "../../../src/core/json.js";
import { loadable } from "../../../src/loaders/bigquery/upload.js";
import { members } from "../../../src/loaders/members.js";
import { parseExactly } from "../../../src/protocols/singer/exact.js";

const value: fc.Arbitrary<Json> = fc.oneof(
  fc.jsonValue() as fc.Arbitrary<Json>,
  fc.bigInt(),
  fc.string({ unit: "binary" }),
);
const row = fc.dictionary(fc.string(), value, { maxKeys: 6 });

test("finds every member of any line, and its value as it stands", () => {
  fc.assert(
    fc.property(row, (given) => {
      const line = stringify(given);

      const found = members(line).map(({ name, from, to }) => [name, line.slice(from, to)]);

      expect(found).toEqual(Object.entries(given).map(([name, v]) => [name, stringify(v)]));
    }),
  );
});

test("any JSON value becomes the text of itself, and nothing else changes", () => {
  fc.assert(
    fc.property(row, (given) => {
      const line = stringify({ ...given, id: 1, nested: given });

      const sent = parseExactly(loadable(line, new Set(["nested"]), new Set())) as {
        nested: string;
      };

      expect(stringify({ ...sent, nested: parseExactly(sent.nested) as Json })).toBe(line);
    }),
  );
});

test("long integers become text, short ones and those of other columns stay", () => {
  const line =
    '{"a":9007199254740993,"b":12,"c":9007199254740993,"d":-9223372036854775808,"e":null}';

  const sent = loadable(line, new Set(), new Set(["a", "b", "d", "e"]));

  expect(sent).toBe(
    '{"a":"9007199254740993","b":12,"c":9007199254740993,"d":"-9223372036854775808","e":null}',
  );
});
