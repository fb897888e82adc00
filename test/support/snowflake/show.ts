import { textRows, type Answer } from "./answer.js";
import type { Engine } from "./engine.js";
import { unknownObject } from "./fault.js";
import type { Reader } from "./lexer.js";
import type { Session } from "./session.js";

/** `SHOW GRANTS TO ROLE name`: what was granted to it directly. */
export async function showGrants(
  engine: Engine,
  session: Session,
  reader: Reader,
): Promise<Answer> {
  reader.expect("GRANTS", "TO", "ROLE");
  const [role = ""] = reader.chain();
  const grants = engine.catalog.roles.get(role);
  if (grants === undefined && role !== session.role) throw unknownObject("Role", role);
  const rows = (grants ?? everything(engine)).map(({ privilege, on, name }) => [
    privilege,
    on,
    name
      .split(".")
      .map((part) => (/^[A-Z_][A-Z0-9_$]*$/.test(part) ? part : `"${part}"`))
      .join("."),
    "ROLE",
    role,
  ]);
  return textRows(["privilege", "granted_on", "name", "granted_to", "grantee_name"], rows);
}

function everything({ catalog, warehouses }: Engine) {
  return [
    ...[...warehouses].map((name) => ({ on: "WAREHOUSE", name })),
    ...[...catalog.databases].map((name) => ({ on: "DATABASE", name })),
    ...[...catalog.schemas.keys()].map((name) => ({ on: "SCHEMA", name })),
  ].map((object) => ({ ...object, privilege: "OWNERSHIP" }));
}
