import { DuckDBInstance } from "@duckdb/node-api";
import { expect, onTestFinished, test } from "vitest";

import { columnsOf } from "../../src/core/columns.js";
import { tracesOf } from "../../src/core/privacy/traces.js";
import { keyedHash } from "../../src/core/privacy/values.js";
import { bigQueryDialect } from "../../src/loaders/bigquery/dialect.js";
import type { Dialect } from "../../src/loaders/dialect.js";
import { duckDbDialect } from "../../src/loaders/duckdb/dialect.js";
import { schemaOf } from "../../src/loaders/evolve.js";
import { personOf, type Person, type Wanted } from "../../src/loaders/forget/person.js";
import { forgetting, searchedIn, type Searched } from "../../src/loaders/forget/sql.js";
import { snowflakeDialect } from "../../src/loaders/snowflake/dialect.js";
import { STREAMS } from "../../streams/index.js";

/** How a person is looked for: SQL for all three warehouses, which must mean the same. */

const TRACES = STREAMS.map((def) => tracesOf(def, null));
const SCHEMA = schemaOf(
  STREAMS.flatMap((def) =>
    columnsOf(def).map(({ name, type }) => ({ relation: def.name, kind: "table", name, type })),
  ),
);
const SEARCHED = searchedIn(SCHEMA, TRACES);
const PERSON: Person = { ids: ["47", "d2a1"], emails: ["o'ada@example.org", "e7f0"] };

const DIALECTS: readonly (readonly [string, Dialect])[] = [
  ["duckdb", duckDbDialect("knowbe4")],
  ["bigquery", bigQueryDialect("acme-dwh", "crm")],
  ["snowflake", snowflakeDialect("KB4", "KNOWBE4")],
];

test.each(DIALECTS)("%s says what the golden file says", async (name, dialect) => {
  const sql = forgetting(dialect.words);
  const all = SEARCHED.flatMap((it) => [
    `-- ${it.table}`,
    sql.idsOf(it, PERSON.emails),
    sql.emailsOf(it, PERSON.ids),
    sql.countRows(it, PERSON),
    ...sql.countMentions(it, PERSON),
    ...sql.erase(it, PERSON).map((s) => s.sql),
  ]);
  const rejects = [
    "-- _kb4_rejects",
    sql.countRejects(TRACES, PERSON),
    ...sql.eraseRejects(TRACES, PERSON).map((s) => s.sql),
  ];

  const text = [...all, ...rejects]
    .filter((line) => line !== null)
    .map((line) => (line.startsWith("-- ") ? `\n${line}\n\n` : `${line};\n`))
    .join("");

  await expect(text.trimStart()).toMatchFileSnapshot(`../golden/loaders/${name}-forget.sql`);
});

test("every stream with a field that tells who somebody is is looked through", () => {
  const told = STREAMS.filter((def) =>
    columnsOf(def).some((c) =>
      [c, ...(c.members ?? [])].some(({ pii }) => pii === "identifier" || pii === "email"),
    ),
  );

  expect(SEARCHED.map((it) => it.table)).toEqual(told.map((def) => def.name));
});

test("no statement says in its purpose whom it is about", () => {
  const sql = forgetting(duckDbDialect("knowbe4").words);
  const all = [
    ...SEARCHED.flatMap((it) => sql.erase(it, PERSON)),
    ...sql.eraseRejects(TRACES, PERSON),
  ];

  expect(all.map((s) => s.purpose).filter((p) => /47|d2a1|ada|e7f0/.test(p))).toEqual([]);
});

const searched = (table: string): Searched => SEARCHED.find((it) => it.table === table)!;

/** Counts by DuckDB, of tables that are made of values. */
async function counts(table: string, values: string, columns: string, person: Person) {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.closeSync();
    instance.closeSync();
  });
  await connection.run("ATTACH ':memory:' AS kb4");
  await connection.run("CREATE SCHEMA kb4.knowbe4");
  await connection.run(
    `CREATE TABLE kb4.knowbe4.${table} AS SELECT * FROM (VALUES ${values}) t(${columns})`,
  );
  const sql = forgetting(duckDbDialect("knowbe4").words);
  const ask = async (query: string) => {
    const reader = await connection.runAndReadAll(query);
    return Number(reader.getRowObjects()[0]?.["n"]);
  };
  if (table === "_kb4_rejects") return [await ask(sql.countRejects(TRACES, person)!)];
  const own = sql.countRows(searched(table), person);
  const mentions = sql.countMentions(searched(table), person);
  return [own === null ? null : await ask(own), ...(await Promise.all(mentions.map(ask)))];
}

test("an address counts where there is no id, and not where there is another's", async () => {
  const values = [
    `(1, 47, '{"id":47,"email":"x@example.org"}'::JSON)`,
    `(2, 48, '{"id":48,"email":"ada@example.org"}')`,
    `(3, NULL, '{"id":null,"email":" Ada@Example.org"}')`,
    `(4, NULL, NULL)`,
    `(5, NULL, '{"id":47}')`,
    `(6, 470, '{"id":470}')`,
  ];
  const person = { ids: ["47"], emails: ["ada@example.org"] };

  const columns = "enrollment_id, user_id, user";
  const found = await counts("enrollments", values.join(", "), columns, person);

  expect(found).toEqual([3]);
});

test("a person in a list is found by a whole number, wherever it stands in its object", async () => {
  const admins = (text: string) => `('${text}'::JSON)`;
  const values = [
    admins('[{"id":470,"email":"b@example.org"},{"id":147}]'),
    admins('[{"id":1},{"id":47,"email":"c@example.org"}]'),
    admins('[{"email":"c@example.org","id":47}]'),
    admins('[{"id":3,"email":"Ada@example.org"}]'),
    admins('[{"id":3,"email":"bada@example.org"}]'),
    admins("null"),
  ];
  const person = { ids: ["47"], emails: ["ada@example.org"] };

  expect(await counts("account", values.join(", "), "admins", person)).toEqual([null, 3]);
});

test("a rejected row is found by the id where its stream has it, and by the address anywhere", async () => {
  const values = [
    `('users', '{"id":47,"email":null}'::JSON)`,
    `('groups', '{"id":47}')`,
    `('enrollments', '{"user":{"id":"47"}}')`,
    `('enrollments', '{"user":{"id":470},"x":[{"y":"Ada <ADA@example.org>"}]}')`,
    `('users', '"ada@example.org"')`,
    `('users', 'null')`,
    `('users', '[47]')`,
  ];
  const person = { ids: ["47"], emails: ["ada@example.org"] };

  expect(await counts("_kb4_rejects", values.join(", "), "stream, raw", person)).toEqual([4]);
});

const hash = keyedHash("a key of the tests");
const finder = (ids: readonly string[], emails: readonly string[] = []) => ({
  idsOf: () => Promise.resolve(ids),
  emailsOf: () => Promise.resolve(emails),
});
const wanted = (more: Partial<Wanted>): Wanted => ({ id: null, email: null, hash: null, ...more });

test("a person is known as they are and hashed, by the id and by every address they had", async () => {
  const by = wanted({ id: "47", hash });

  const person = await personOf(by, finder([], ["Ada@Example.org ", hash("b@c.de", "email")]));

  expect(person.ids).toEqual(["47", hash(47, "identifier")]);
  expect(person.emails).toEqual([
    ...["ada@example.org", hash("ada@example.org", "email")],
    hash("b@c.de", "email"),
  ]);
});

test("one person under two forms of an id is one, two ids are two", async () => {
  const by = wanted({ email: "ada@example.org", hash });

  const one = await personOf(by, finder(["47", hash(47, "identifier")]));

  expect(one.ids).toEqual(["47", hash(47, "identifier")]);
  for (const ids of [
    ["47", "48"],
    ["47", hash(48, "identifier")],
  ]) {
    await expect(personOf(by, finder(ids))).rejects.toMatchObject({
      kind: "config",
      message: "forget: more than one person has had this address",
    });
  }
});

test("columns that are not in the table are not asked for", () => {
  const schema = schemaOf(
    ["id", "manager_name"].map((name) => ({ relation: "users", kind: "table", name, type: "" })),
  );
  const view = schemaOf([{ relation: "users", kind: "view", name: "id", type: "" }]);

  const [users, ...others] = searchedIn(schema, TRACES);

  expect(others).toEqual([]);
  expect(users).toEqual({
    table: "users",
    own: [{ column: "id", member: null, isList: false, tells: "id" }],
    mentions: [],
  });
  expect(searchedIn(view, TRACES)).toEqual([]);
});
