import { expect, test } from "vitest";

import { snowflakeDialect } from "../../../src/loaders/snowflake/dialect.js";
import { script } from "./script.js";

test("says what the golden file says", async () => {
  const text = script("/spool")
    .map(([title, statements]) => {
      const lines = statements.map(({ sql, isFence }) => `${isFence ? "-- fence\n" : ""}${sql};\n`);
      return `-- ${title}\n\n${lines.join("")}`;
    })
    .join("\n");

  await expect(text).toMatchFileSnapshot("../../golden/loaders/snowflake.sql");
});

test("knows its own types by the names that it asks for", () => {
  const { typeName, typeOf } = snowflakeDialect("KB4", "KNOWBE4");
  const types = ["string", "integer", "number", "boolean", "timestamp", "date", "json"] as const;

  expect(types.map((type) => typeOf(typeName(type)))).toEqual(types);
  expect(["NUMBER(10,2)", "TEXT", "VARCHAR(10)", "TIMESTAMP_NTZ", "ARRAY", ""].map(typeOf)).toEqual(
    Array(6).fill(undefined),
  );
});

test("says what each statement is for, and no value in it", () => {
  const purposes = script("/spool").flatMap(([, statements]) => statements.map((s) => s.purpose));

  expect(purposes.every((purpose) => purpose !== "" && !purpose.includes("2026-"))).toBe(true);
});
