import type { Answer } from "./answer.js";
import { said } from "./answer.js";
import type { Column, Relation } from "./catalog.js";
import type { Engine } from "./engine.js";
import { compilation, SnowflakeFault } from "./fault.js";
import { items, Reader, type Token } from "./lexer.js";
import { fullName, type Session } from "./session.js";
import { decoded, encoded, text, translated, typeNext } from "./translate.js";

/** How a table is made. */
interface Making {
  readonly isNew: boolean;
  readonly isTemporary: boolean;
}

export async function createTable(
  engine: Engine,
  session: Session,
  reader: Reader,
  { isNew, isTemporary }: Making,
): Promise<Answer> {
  const isOptional = reader.takes("IF", "NOT", "EXISTS");
  const chain = fullName(session, reader.chain());
  const [database, schema, name] = chain;
  const tables = engine.catalog.schema(session.role, database, schema);
  if (!isTemporary) {
    engine.catalog.require(session.role, "CREATE TABLE", "SCHEMA", `${database}.${schema}`);
  }
  const columns = items(reader.parenthesis()).map((tokens) => columnOf(new Reader(tokens)));
  tableOptions(reader);
  const key = chain.join("\0");
  const standing = isTemporary ? session.tables.get(key) : tables.get(name);
  if (standing !== undefined && !isNew) {
    if (isOptional) return said(`${name} already exists, statement succeeded.`);
    throw new SnowflakeFault(
      "002002",
      "42710",
      `SQL compilation error:\nObject '${name}' already exists.`,
    );
  }
  const duckdb = isTemporary
    ? `temp.main.${encoded(chain.join("."))}`
    : `memory.${encoded(`${database}.${schema}`)}.${encoded(name)}`;
  const defined = columns.map(
    ({ definition, isRequired, name: column }) =>
      `${encoded(column)} ${definition}${isRequired ? " NOT NULL" : ""}`,
  );
  await session.connection.run(
    `CREATE OR REPLACE ${isTemporary ? "TEMP " : ""}TABLE ${duckdb} (${defined.join(", ")})`,
  );
  const relation: Relation = {
    id: engine.catalog.nextId(),
    kind: isTemporary ? "TEMPORARY TABLE" : "BASE TABLE",
    name: key,
    duckdb,
    columns,
    loaded: new Set(),
  };
  if (isTemporary) session.tables.set(key, relation);
  else {
    tables.set(name, relation);
    engine.catalog.own(session.role, "TABLE", chain.join("."));
  }
  return said(`Table ${name} successfully created.`);
}

type Defined = Column & { readonly definition: string };

function columnOf(reader: Reader): Defined {
  const [name = ""] = reader.chain();
  const { snowflake, duckdb } = typeNext(reader);
  const isRequired = reader.takes("NOT", "NULL");
  const comment = reader.takes("COMMENT") ? reader.text() : "";
  if (!reader.isDone) throw compilation(`unexpected '${reader.next().text}'.`);
  const type = snowflake === "NUMBER" || snowflake === "INTEGER" ? "NUMBER(38,0)" : snowflake;
  return { name, type, definition: duckdb, isRequired, comment };
}

function tableOptions(reader: Reader): void {
  if (reader.takes("DEFAULT_DDL_COLLATION", "=") && reader.text() !== "") {
    throw compilation("collations are not known here");
  }
  if (reader.takes("COMMENT", "=")) reader.text();
  if (!reader.isDone) throw compilation(`unexpected '${reader.next().text}'.`);
}

export async function createView(
  engine: Engine,
  session: Session,
  reader: Reader,
  { isNew }: Pick<Making, "isNew">,
): Promise<Answer> {
  const chain = fullName(session, reader.chain());
  const [database, schema, name] = chain;
  const tables = engine.catalog.schema(session.role, database, schema);
  engine.catalog.require(session.role, "CREATE VIEW", "SCHEMA", `${database}.${schema}`);
  const standing = tables.get(name);
  if (standing !== undefined && (!isNew || standing.kind !== "VIEW")) {
    throw new SnowflakeFault(
      "002002",
      "42710",
      `SQL compilation error:\nObject '${name}' already exists.`,
    );
  }
  if (isNew) reader.takes("COPY", "GRANTS");
  if (reader.takes("COMMENT", "=")) reader.text();
  reader.expect("AS");
  const duckdb = `memory.${encoded(`${database}.${schema}`)}.${encoded(name)}`;
  await session.connection.run(
    `CREATE OR REPLACE VIEW ${duckdb} AS ${translated(reader.rest(), engine.scope(session))}`,
  );
  tables.set(name, {
    id: engine.catalog.nextId(),
    kind: "VIEW",
    name: chain.join("\0"),
    duckdb,
    columns: await columnsOf(session, duckdb),
    loaded: new Set(),
  });
  return said(`View ${name} successfully created.`);
}

/** Snowflake's types of a view's columns. */
const OF_VIEWS: Readonly<Record<string, string>> = {
  "DECIMAL(38,0)": "NUMBER(38,0)",
  DOUBLE: "FLOAT",
  "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ",
  TIMESTAMP: "TIMESTAMP_NTZ",
  JSON: "VARIANT",
};

async function columnsOf({ connection }: Session, view: string): Promise<readonly Column[]> {
  const described = await connection.runAndReadAll(`DESCRIBE ${view}`);
  return described.getRowObjects().map((row) => {
    const type = String(row["column_type"]);
    const name = decoded(String(row["column_name"]));
    return { name, type: OF_VIEWS[type] ?? type, isRequired: false, comment: "" };
  });
}

export async function dropTable(engine: Engine, session: Session, reader: Reader): Promise<Answer> {
  reader.expect("TABLE");
  const isOptional = reader.takes("IF", "EXISTS");
  const chain = fullName(session, reader.chain());
  const [database, schema, name] = chain;
  const tables = engine.catalog.schema(session.role, database, schema);
  if (isOptional && !tables.has(name)) return said("Drop statement executed successfully.");
  const relation = await engine.changing(session, chain, "OWNERSHIP");
  await session.connection.run(`DROP TABLE ${relation.duckdb}`);
  tables.delete(name);
  return said(`${name} successfully dropped.`);
}

export async function alterTable(
  engine: Engine,
  session: Session,
  reader: Reader,
): Promise<Answer> {
  const relation = await engine.changing(session, reader.chain(), "OWNERSHIP");
  const run = (sql: string) => session.connection.run(`ALTER TABLE ${relation.duckdb} ${sql}`);
  if (reader.takes("ADD", "COLUMN")) {
    const isOptional = reader.takes("IF", "NOT", "EXISTS");
    const column = columnOf(reader);
    if (relation.columns.some((c) => c.name === column.name)) {
      if (!isOptional) throw compilation(`column '${column.name}' already exists`);
    } else {
      await run(`ADD COLUMN ${encoded(column.name)} ${column.definition}`);
      relation.columns = [...relation.columns, column];
    }
  } else if (reader.takes("DROP", "COLUMN")) {
    const [name = ""] = reader.chain();
    requireColumn(relation, name);
    await run(`DROP COLUMN ${encoded(name)}`);
    relation.columns = relation.columns.filter((c) => c.name !== name);
  } else if (reader.takes("RENAME", "COLUMN")) {
    const [from = ""] = reader.chain();
    reader.expect("TO");
    const [to = ""] = reader.chain();
    requireColumn(relation, from);
    await run(`RENAME COLUMN ${encoded(from)} TO ${encoded(to)}`);
    relation.columns = relation.columns.map((c) => (c.name === from ? { ...c, name: to } : c));
  } else {
    reader.expect("ALTER", "COLUMN");
    const [name = ""] = reader.chain();
    requireColumn(relation, name);
    const isRequired = reader.takes("SET");
    if (!isRequired) reader.expect("DROP");
    reader.expect("NOT", "NULL");
    await run(`ALTER COLUMN ${encoded(name)} ${isRequired ? "SET" : "DROP"} NOT NULL`);
    relation.columns = relation.columns.map((c) => (c.name === name ? { ...c, isRequired } : c));
  }
  return said("Statement executed successfully.");
}

/** @throws SnowflakeFault if a relation has no such column. */
export function requireColumn(relation: Relation, name: string): Column {
  const found = relation.columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  throw new SnowflakeFault(
    "000904",
    "42000",
    `SQL compilation error: error line 1\ninvalid identifier '${text(name)}'`,
  );
}

/** Names in a list of columns. */
export function namesIn(tokens: readonly Token[]): readonly string[] {
  return items(tokens).map((item) => {
    const chain = new Reader(item).chain();
    return chain.at(-1) ?? "";
  });
}
