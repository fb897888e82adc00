import type { Mode } from "../table.js";
import type { Missing } from "../warehouse.js";
import type { Connection } from "./connection.js";
import type { SnowflakeDialect } from "./dialect.js";
import { exactly, nameOf } from "./names.js";
import type { SnowflakeOptions } from "./options.js";

/** Something that a role was granted, or owns. */
interface Grant {
  readonly privilege: string;
  readonly on: string;
  readonly name: string;
}

/** Most roles that are looked into: a role may have been granted others. */
const ROLES = 50;

/** What is needed on the loader's own tables if another role made them. */
const ON_TABLES = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/**
 * What the role lacks, as statements for somebody who may grant it. Reads grants, and if nothing is
 * missing the schema, which proves that the warehouse runs; writes nothing.
 */
export async function missingGrants(
  connection: Connection,
  options: SnowflakeOptions,
  dialect: SnowflakeDialect,
  mode: Mode,
): Promise<readonly Missing[]> {
  const { rows } = await connection.execute(
    "asking for the role",
    'SELECT CURRENT_ROLE() AS "role"',
  );
  const role = String(rows[0]?.["role"]);
  const grants = await grantsOf(connection, role);
  const missing = needs(options, grants, mode)
    .filter(({ on, name, privilege }) => !has(grants, on, name, privilege))
    .map(({ on, name, privilege }) => ({
      what: `role ${role} lacks ${privilege} on ${on.toLowerCase()} ${name}`,
      fix: `GRANT ${privilege} ON ${on} ${sqlName(name)} TO ROLE ${exactly(role)}`,
    }));
  if (missing.length === 0) await connection.execute("reading the schema", dialect.describe());
  return missing;
}

/** Everything that a role may do, by the roles that it was granted too. */
async function grantsOf(connection: Connection, first: string): Promise<readonly Grant[]> {
  const roles = new Set([first, "PUBLIC"]);
  const grants: Grant[] = [];
  for (const role of roles) {
    const sql = `SHOW GRANTS TO ROLE ${exactly(role)}`;
    const found = await connection.execute(`looking at the grants of role ${role}`, sql).catch(
      // A role that was granted need not be one that may be looked at.
      (error: unknown) => {
        if (role === first) throw error;
        return { rows: [] };
      },
    );
    for (const row of found.rows) {
      const on = String(row["granted_on"]);
      const name = plain(String(row["name"]));
      if (on === "ROLE" && roles.size < ROLES) roles.add(name);
      grants.push({ privilege: String(row["privilege"]), on, name });
    }
  }
  return grants;
}

function needs(options: SnowflakeOptions, grants: readonly Grant[], mode: Mode): readonly Grant[] {
  const database = nameOf(options.database);
  const schema = `${database}.${nameOf(options.schema)}`;
  const usage = (on: string, name: string): Grant => ({ privilege: "USAGE", on, name });
  const first = [usage("WAREHOUSE", nameOf(options.warehouse)), usage("DATABASE", database)];
  // A schema of which nothing was granted is one that is still to be made.
  if (!grants.some(({ on, name }) => on === "SCHEMA" && name === schema)) {
    return [...first, { privilege: "CREATE SCHEMA", on: "DATABASE", name: database }];
  }
  const ours = new Set(
    grants
      .filter(({ on, name }) => on === "TABLE" && name.startsWith(`${schema}._KB4_`))
      .map(({ name }) => name),
  );
  return [
    ...first,
    usage("SCHEMA", schema),
    { privilege: "CREATE TABLE", on: "SCHEMA", name: schema },
    { privilege: "CREATE STAGE", on: "SCHEMA", name: schema },
    ...(mode === "history"
      ? [{ privilege: "CREATE VIEW", on: "SCHEMA", name: schema } as const]
      : []),
    ...[...ours].flatMap((name) =>
      ON_TABLES.map((privilege): Grant => ({ privilege, on: "TABLE", name })),
    ),
  ];
}

function has(grants: readonly Grant[], on: string, name: string, privilege: string): boolean {
  const enough = [privilege, "OWNERSHIP", "ALL", "ALL PRIVILEGES"];
  return grants.some((g) => g.on === on && g.name === name && enough.includes(g.privilege));
}

/** A name as Snowflake shows it, without quotes. */
function plain(shown: string): string {
  return shown.replace(/"((?:[^"]|"")*)"/g, (_, name: string) => name.replaceAll('""', '"'));
}

function sqlName(name: string): string {
  return name.split(".").map(exactly).join(".");
}
