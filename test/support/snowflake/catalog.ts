import { denied, unknownObject } from "./fault.js";
import { encoded, text } from "./translate.js";

/** A column as Snowflake knows it. */
export interface Column {
  readonly name: string;
  /** `NUMBER(38,0)`, `VARCHAR`, … */
  readonly type: string;
  readonly isRequired: boolean;
  readonly comment: string;
}

/** A table, a view or a temporary table. */
export interface Relation {
  /** Changes when it is made anew. */
  readonly id: number;
  readonly kind: "BASE TABLE" | "TEMPORARY TABLE" | "VIEW";
  /** Name in full, for messages. */
  readonly name: string;
  /** What DuckDB calls it. */
  readonly duckdb: string;
  columns: readonly Column[];
  /** Files that `COPY` has loaded. */
  readonly loaded: Set<string>;
}

/** What a role may do: `SELECT`, `INSERT`, … on an object. `OWNERSHIP` is all of it. */
export interface Grant {
  readonly privilege: string;
  readonly on: "WAREHOUSE" | "DATABASE" | "SCHEMA" | "TABLE" | "STAGE" | "VIEW" | "ROLE";
  /** In full, with dots. */
  readonly name: string;
}

/** Databases, schemas, tables and who may use them. Changes at once, as DDL does in Snowflake. */
export class Catalog {
  /** Schemas by `DATABASE.SCHEMA`, tables by name. */
  readonly schemas = new Map<string, Map<string, Relation>>();
  readonly databases = new Set<string>();
  /** Grants of each role; a role that is not here may do everything. */
  readonly roles = new Map<string, Grant[]>();
  #ids = 0;

  nextId(): number {
    this.#ids += 1;
    return this.#ids;
  }

  /** @throws SnowflakeFault if there is none, or the role may not see it. */
  schema(role: string, database: string, schema: string): Map<string, Relation> {
    if (!this.databases.has(database) || !this.sees(role, "DATABASE", database)) {
      throw unknownObject("Database", `"${database}"`);
    }
    const name = `${database}.${schema}`;
    const found = this.schemas.get(name);
    if (found === undefined || !this.sees(role, "SCHEMA", name)) {
      throw unknownObject("Schema", `"${database}"."${schema}"`);
    }
    return found;
  }

  /** Whether a role may see an object: containers by their use, the rest by any privilege. */
  sees(role: string, on: Grant["on"], name: string): boolean {
    const needs = ["WAREHOUSE", "DATABASE", "SCHEMA"].includes(on) ? ["USAGE", "OWNERSHIP"] : [];
    const isEnough = (privilege: string) => needs.length === 0 || needs.includes(privilege);
    const grants = this.#grantsOf(role);
    return (
      grants === undefined ||
      grants.some((g) => g.on === on && g.name === name && isEnough(g.privilege))
    );
  }

  /** @throws SnowflakeFault if a role may not do something. */
  require(role: string, privilege: string, on: Grant["on"], name: string): void {
    const grants = this.#grantsOf(role);
    if (grants === undefined) return;
    const has = grants.some(
      (g) =>
        g.on === on &&
        g.name === name &&
        (g.privilege === privilege || g.privilege === "OWNERSHIP"),
    );
    if (!has) throw denied(on.toLowerCase(), name.split(".").at(-1) ?? name);
  }

  /** A role's own grants and those of the roles that it was granted. */
  #grantsOf(role: string): readonly Grant[] | undefined {
    const own = this.roles.get(role);
    if (own === undefined) return undefined;
    const inherited = own.filter(({ on }) => on === "ROLE");
    return [...own, ...inherited.flatMap(({ name }) => this.#grantsOf(name) ?? [])];
  }

  /** Whoever makes something owns it. */
  own(role: string, on: Grant["on"], name: string): void {
    this.roles.get(role)?.push({ privilege: "OWNERSHIP", on, name });
  }

  /** `INFORMATION_SCHEMA.TABLES` or `.COLUMNS` of a database, as a subquery for DuckDB. */
  information(role: string, database: string, view: string, own: Iterable<Relation>): string {
    const rows: string[] = [];
    const relations = [...this.schemas].flatMap(([schema, tables]) =>
      schema.startsWith(`${database}.`) && this.sees(role, "SCHEMA", schema)
        ? [...tables.values()]
        : [],
    );
    for (const relation of [...relations, ...own]) {
      const [, schema = "", name = ""] = relation.name.split("\0");
      const place = [database, schema, name].map(text);
      if (view === "TABLES") rows.push(`(${[...place, text(relation.kind)].join(", ")})`);
      else {
        relation.columns.forEach((column, i) => {
          rows.push(`(${[...place, ...described(column, i + 1)].join(", ")})`);
        });
      }
    }
    const columns = [
      ...["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"],
      ...(view === "TABLES" ? ["TABLE_TYPE"] : COLUMNS),
    ].map(encoded);
    const none = `(${columns.map(() => "NULL").join(", ")})`;
    return `(SELECT * FROM (VALUES ${[...rows, none].join(", ")}) AS v(${columns.join(", ")}) WHERE "TABLE_NAME" IS NOT NULL)`;
  }
}

const COLUMNS = [
  "COLUMN_NAME",
  "ORDINAL_POSITION",
  "COLUMN_DEFAULT",
  "IS_NULLABLE",
  "DATA_TYPE",
  "CHARACTER_MAXIMUM_LENGTH",
  "NUMERIC_PRECISION",
  "NUMERIC_SCALE",
  "COMMENT",
];

function described(column: Column, position: number): readonly string[] {
  const [, base = "", a = "NULL", b = "NULL"] =
    /^(\w+)(?:\((\d+)(?:,(\d+))?\))?$/.exec(column.type) ?? [];
  const isText = base === "VARCHAR";
  const isNumber = base === "NUMBER";
  return [
    text(column.name),
    String(position),
    "NULL",
    column.isRequired ? "'NO'" : "'YES'",
    text(isText ? "TEXT" : base),
    isText ? (a === "NULL" ? "16777216" : a) : "NULL",
    isNumber ? a : "NULL",
    isNumber ? b : "NULL",
    text(column.comment),
  ];
}
