import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { PRESET_RULES, TAGS } from "../../../src/core/privacy/rules.js";

const PAGE = join(import.meta.dirname, "../../../docs/privacy.md");

test("the table of docs/privacy.md is what the presets do", () => {
  const rows = readFileSync(PAGE, "utf8").matchAll(/^\| `([\w.]+)` *\| *(\w*) *\| *(\w*) *\|$/gm);

  const said = [...rows].map(([, name, pseudonymous, aggregate]) => [
    name,
    pseudonymous,
    aggregate,
  ]);

  const { pseudonymous: first, "aggregate-only": second } = PRESET_RULES;
  const columns = [...Object.keys(first.columns), ...Object.keys(second.columns)];
  expect(said).toEqual([
    ...TAGS.map((tag) => [tag, first.tags[tag], second.tags[tag]]),
    ...columns.map((name) => [name, first.columns[name] ?? "", second.columns[name] ?? ""]),
  ]);
});
