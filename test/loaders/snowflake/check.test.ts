import { expect, test } from "vitest";

import type { Grant } from "../../support/snowflake/catalog.js";
import { failure, PEOPLE } from "../support.js";
import { desk, type Desk } from "./support.js";

/** What a role lacks, as `knowbe4 check` says it and as Snowflake means it. */

const grant = (privilege: string, on: Grant["on"], name: string): Grant => ({
  privilege,
  on,
  name,
});

/** The least that the manual asks for. */
const LEAST: readonly Grant[] = [
  grant("USAGE", "WAREHOUSE", "WH"),
  grant("USAGE", "DATABASE", "KB4"),
  grant("USAGE", "SCHEMA", "KB4.KNOWBE4"),
  grant("CREATE TABLE", "SCHEMA", "KB4.KNOWBE4"),
  grant("CREATE STAGE", "SCHEMA", "KB4.KNOWBE4"),
];

/** A desk whose role has these grants and no others. */
async function granted(
  grants: readonly Grant[],
  others: Readonly<Record<string, Grant[]>> = {},
): Promise<Desk> {
  const at = await desk();
  await at.standin.engine.addSchema("KB4", "KNOWBE4");
  const { roles } = at.standin.engine.catalog;
  roles.set("LOADER_ROLE", [...grants]);
  roles.set("PUBLIC", []);
  for (const [role, theirs] of Object.entries(others)) roles.set(role, theirs);
  return at;
}

const fixes = async (at: Desk): Promise<readonly string[]> =>
  (await at.loader().check()).map(({ fix }) => fix);

test("nothing is missing with the least that the manual asks for, and that is enough", async () => {
  const at = await granted(LEAST);

  expect(await fixes(at)).toEqual([]);
  await at.load(PEOPLE, [{ id: 1, name: "Ada" }]);
  await at.load(PEOPLE, [{ id: 1, name: "Eve" }]);
  expect(await at.rows("people")).toMatchObject([{ name: "Eve" }]);
  expect(await fixes(at)).toEqual([]);
});

test.for(LEAST.map((grant) => [`${grant.privilege} on ${grant.on}`, grant] as const))(
  "%s is missed, by the check and by the load",
  async ([, { privilege, on, name }]) => {
    const at = await granted(LEAST.filter((g) => g.privilege !== privilege || g.on !== on));

    const missing = await at.loader().check();

    const quoted = name
      .split(".")
      .map((part) => `"${part}"`)
      .join(".");
    expect(missing).toContainEqual({
      what: `role LOADER_ROLE lacks ${privilege} on ${on.toLowerCase()} ${name}`,
      fix: `GRANT ${privilege} ON ${on} ${quoted} TO ROLE "LOADER_ROLE"`,
    });
    const error = await failure(at.load(PEOPLE, [{ id: 1, name: "Ada" }]));
    expect(error.kind).toBe("destination");
  },
);

test("in mode history the privilege to make views is missed, by the check and by the load", async () => {
  const at = await granted(LEAST);
  const options = { mode: "history" } as const;

  const missing = await at.loader(options).check();

  expect(missing).toEqual([
    {
      what: "role LOADER_ROLE lacks CREATE VIEW on schema KB4.KNOWBE4",
      fix: 'GRANT CREATE VIEW ON SCHEMA "KB4"."KNOWBE4" TO ROLE "LOADER_ROLE"',
    },
  ]);
  const error = await failure(at.load(PEOPLE, [{ id: 1, name: "Ada" }], options));
  expect(error.kind).toBe("destination");
  at.standin.engine.catalog.roles
    .get("LOADER_ROLE")
    ?.push(grant("CREATE VIEW", "SCHEMA", "KB4.KNOWBE4"));
  await at.load(PEOPLE, [{ id: 1, name: "Ada" }], options);
  expect(await at.rows("people_current")).toMatchObject([{ name: "Ada" }]);
});

test("privileges count that come by another role", async () => {
  const at = await granted([grant("USAGE", "ROLE", "BASE")], { BASE: [...LEAST] });

  expect(await fixes(at)).toEqual([]);
});

test("a schema that is still to be made needs the privilege to make it", async () => {
  const at = await granted(LEAST.slice(0, 2));

  expect(await fixes(at)).toEqual(['GRANT CREATE SCHEMA ON DATABASE "KB4" TO ROLE "LOADER_ROLE"']);
});

test("tables that another role made need their own privileges", async () => {
  const at = await granted([...LEAST, grant("SELECT", "TABLE", "KB4.KNOWBE4._KB4_STATE")]);

  expect(await fixes(at)).toEqual(
    ["INSERT", "UPDATE", "DELETE"].map(
      (p) => `GRANT ${p} ON TABLE "KB4"."KNOWBE4"."_KB4_STATE" TO ROLE "LOADER_ROLE"`,
    ),
  );
});

test("the check writes nothing", async () => {
  const at = await desk();

  await at.loader().check();

  expect(at.standin.statements.every(({ sql }) => /^(SELECT|SHOW) /.test(sql))).toBe(true);
  expect(at.standin.sessions).toBe(0);
});

test("the check finds a warehouse that cannot run", async () => {
  const at = await desk();
  at.standin.fault({
    match: /INFORMATION_SCHEMA/,
    trouble: { kind: "error", code: "090073", sqlState: "22000", message: "cannot be resumed" },
  });

  const error = await failure(at.loader().check());

  expect(error.message).toMatch(/the warehouse is suspended and cannot be resumed$/);
});
