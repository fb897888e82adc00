import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { columnsOf, EXTRA, OBSERVED_AT, type Column } from "../../src/core/columns.js";
import { stringify } from "../../src/core/json.js";
import { neededBy, type StreamDef } from "../../src/core/stream.js";
import { STREAMS } from "../../streams/index.js";
import { fixtureOf, readAs } from "./support.js";

/** Every stream, looked at by itself: a new file in `streams/` is checked without further tests. */

const OURS = [EXTRA.name, OBSERVED_AT.name];

/** A column and all that is declared within it, by path. */
function declaredIn(columns: readonly Column[], prefix = ""): readonly [string, Column][] {
  return columns
    .filter((c) => !OURS.includes(c.name))
    .flatMap((c): [string, Column][] => [
      [prefix + c.name, c],
      ...declaredIn(c.members ?? [], `${prefix}${c.name}.`),
    ]);
}

/** What makes a number readable: a unit, a scale, or what is counted. */
const UNIT =
  /seconds|minutes|days|number of|percent|fraction|\b0\b.*\b100\b|\b1\b.*\b5\b|its number/i;

const isKey = (name: string) => /(^|\.)(id|\w+_id)$/.test(name);

describe.each(STREAMS.map((def) => [def.name, def] as const))("%s", (_name, def: StreamDef) => {
  const read = readAs(def, fixtureOf(def.name));
  const fields = declaredIn(columnsOf(def));

  test("takes every row of its fixture as it is declared", () => {
    expect(read.rows.length).toBeGreaterThan(1);
    expect(read.rejects).toEqual([]);
    expect(read.drift).toEqual([]);
    expect(read.rows).toMatchSnapshot();
  });

  test("has a key that is unique and never null", () => {
    const keys = read.rows.map((row) => def.primaryKey.map((field) => row[field]));

    expect(keys.flat()).not.toContain(null);
    expect(new Set(keys.map((key) => stringify(key as never))).size).toBe(keys.length);
  });

  test("has its cursor in every row", () => {
    const by = def.replication;
    if (by.mode !== "incremental" || by.by !== "cursor") return;
    for (const row of read.rows) expect(row[by.cursor]).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  test("shows every declared field in its fixture at least once", () => {
    const never = Object.keys(def.schema.shape).filter((field) =>
      read.rows.every((row) => row[field] === null),
    );
    expect(never).toEqual([]);
  });

  test("describes every field, nested ones too, and every number with its unit", () => {
    expect(def.description).toMatch(/\.$/);
    for (const [path, column] of fields) {
      expect(column.description, path).toMatch(/^[A-Z`].*[^.]\.$/s);
      const numeric = column.type === "integer" || column.type === "number";
      if (numeric && !isKey(path)) expect(column.description, path).toMatch(UNIT);
      if (column.type === "timestamp") expect(column.description, path).toContain("UTC");
    }
  });

  test("names its fields in snake_case", () => {
    for (const [path] of fields) expect(path).toMatch(/^[a-z][a-z0-9_.]*$/);
    expect(def.name).toMatch(/^[a-z][a-z0-9_]*$/);
  });

  test("tags what says something about a person", () => {
    const telling = [
      [/(^|\.)(first|last|manager)_name$/, "name"],
      [/(^|_|\.)email$|^aliases$/, "email"],
      [/phone|^extension$/, "phone"],
      [/^ip/, "address"],
      [/(^|\.)user_?\.?id$|employee_number|^users?\.id$/, "identifier"],
      [/^comment$|^custom_/, "free_text"],
      [/^(opened|clicked|replied|reported|data_entered)_at$/, "behaviour"],
    ] as const;
    for (const [path, column] of fields) {
      const tag = telling.find(([pattern]) => pattern.test(path))?.[1];
      if (tag !== undefined) expect(column.pii, path).toBe(tag);
    }
  });

  test("needs only streams of the registry", () => {
    for (const needed of neededBy(def)) expect(STREAMS).toContain(needed);
  });
});

test("the registry has every stream file once, users first and histories of parents last", () => {
  const names = STREAMS.map((def) => def.name);
  const files = readdirSync(new URL("../../streams", import.meta.url))
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((file) => file !== "index" && file !== "shared");

  expect([...names].sort()).toEqual(files.sort());
  expect(names).toEqual([
    "users",
    "groups",
    "group_members",
    "enrollments",
    "campaigns",
    "security_tests",
    "security_test_recipients",
    "risk_score_history",
    "account",
    "training_campaigns",
    "store_purchases",
    "policies",
    "group_risk_score_history",
    "user_risk_score_history",
  ]);
});

test("every fixture belongs to a stream", () => {
  const files = readdirSync(new URL("../fixtures", import.meta.url));
  expect(files.sort()).toEqual(STREAMS.map((def) => `${def.name}.json`).sort());
});

test("only what costs a request per parent is off unless selected", () => {
  const off = STREAMS.filter((def) => def.selectedByDefault === false).map((def) => def.name);
  expect(off).toEqual(["group_risk_score_history", "user_risk_score_history"]);
});

test("the committed catalog and documentation are current", { timeout: 60_000 }, () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", "scripts/generate.ts", "--check"],
    { cwd: new URL("../..", import.meta.url), encoding: "utf8" },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
