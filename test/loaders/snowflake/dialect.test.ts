import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { expect, onTestFinished, test } from "vitest";

import { stringify } from "../../../src/core/json.js";
import { snowflakeDialect } from "../../../src/loaders/snowflake/dialect.js";
import { META, SEQUENCE } from "../../../src/loaders/table.js";
import { Engine } from "../../support/snowflake/engine.js";
import { folder } from "../support.js";
import { AT, script } from "./script.js";

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

test("says nothing that Snowflake's stand-in does not understand", async () => {
  const spool = await folder();
  const engine = await Engine.start({ folder: spool });
  onTestFinished(() => engine.stop());
  await engine.addSchema("KB4", "OTHER");
  const session = await engine.login({
    user: "U",
    role: "R",
    warehouse: "WH",
    database: null,
    schema: null,
  });
  onTestFinished(() => engine.logout(session));
  const lines = spooled();

  for (const [title, statements] of script(spool)) {
    for (const { sql, isFence } of statements) {
      const answer = await engine.execute(session, sql);
      if (answer.kind === "upload") {
        const name = /(\w+)'s/.exec(answer.from)?.[1] ?? "";
        await mkdir(answer.to, { recursive: true });
        await writeFile(join(answer.to, "1.ndjson.gz"), gzipSync(lines[name]!));
      } else if (isFence === true) expect(answer.rowset.flat(), title).toContain("1");
    }
  }

  const left = await engine.execute(
    session,
    'SELECT COUNT(*) AS "n" FROM "KB4"."KNOWBE4"."PEOPLE"',
  );
  expect(left).toMatchObject({ rowset: [["1"]] });
});

/** A line for each file that the script stages. */
function spooled(): Readonly<Record<string, string>> {
  const [, extracted, digest] = META;
  const ours = { [extracted.name]: AT, [SEQUENCE.name]: 1, [digest.name]: "x" };
  return {
    people: `${stringify({ id: 1, name: "Ada", ...ours })}\n`,
    odd: `${stringify({ [`k"1`]: "a", "k'2": 2, "Ünï 🦊": "b", ...ours })}\n`,
    rejects: `${stringify({ stream: "people", reason: "id: missing", raw: { a: 1 }, seen_at: AT })}\n`,
  };
}
