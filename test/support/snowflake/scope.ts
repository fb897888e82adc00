import type { Engine } from "./engine.js";
import { unknownObject } from "./fault.js";
import { fullName, type Session } from "./session.js";
import { text, type Scope } from "./translate.js";

/** What names mean to a session. */
export function scopeOf(engine: Engine, session: Session): Scope {
  return {
    table: (chain) => {
      const [database, schema, name] = fullName(session, chain);
      if (schema === "INFORMATION_SCHEMA") {
        if (
          !engine.catalog.databases.has(database) ||
          !engine.catalog.sees(session.role, "DATABASE", database)
        ) {
          throw unknownObject("Database", `"${database}"`);
        }
        return engine.catalog.information(session.role, database, name, session.tables.values());
      }
      const relation = engine.relation(session, chain);
      if (relation.kind === "BASE TABLE") {
        engine.catalog.require(
          session.role,
          "SELECT",
          "TABLE",
          relation.name.split("\0").join("."),
        );
      }
      return relation.duckdb;
    },
    context: (name) => {
      if (name === "CURRENT_ROLE") return text(session.role);
      if (name === "CURRENT_USER") return text(session.user);
      if (name !== "CURRENT_WAREHOUSE") return undefined;
      return session.warehouse === null ? "NULL" : text(session.warehouse);
    },
  };
}
