import { counted, type Answer } from "./answer.js";
import type { Relation } from "./catalog.js";
import { namesIn, requireColumn } from "./ddl.js";
import type { Engine } from "./engine.js";
import { compilation, SnowflakeFault } from "./fault.js";
import { isA, items, Reader, type Token } from "./lexer.js";
import type { Session } from "./session.js";
import { encoded, translated } from "./translate.js";

/** Types of a query's columns, as DuckDB names them. */
async function typesOf(session: Session, query: string): Promise<readonly string[]> {
  const described = await session.connection.runAndReadAll(`DESCRIBE ${query}`);
  return described.getRowObjects().map((row) => String(row["column_type"]));
}

/** @throws SnowflakeFault for text where a VARIANT belongs: DuckDB would parse it. */
export function refuseText(relation: Relation, name: string, type: string): void {
  const column = requireColumn(relation, name);
  if (column.type !== "VARIANT" || type !== "VARCHAR") return;
  throw new SnowflakeFault(
    "002023",
    "22000",
    `SQL compilation error:\nExpression type does not match column data type, expecting VARIANT but got VARCHAR(16777216) for column ${name}`,
  );
}

export async function insertInto(
  engine: Engine,
  session: Session,
  reader: Reader,
): Promise<Answer> {
  reader.expect("INTO");
  const relation = await engine.changing(session, reader.chain(), "INSERT");
  const first = reader.peek();
  const names =
    first !== undefined && isA(first, "(")
      ? namesIn(reader.parenthesis())
      : relation.columns.map((column) => column.name);
  const source = sourceOf(reader.rest(), engine, session);
  const types = await typesOf(session, source);
  if (types.length !== names.length) {
    throw compilation(
      `Insert value list does not match column list expecting ${String(names.length)} but got ${String(types.length)}`,
    );
  }
  names.forEach((name, i) => {
    refuseText(relation, name, types[i] ?? "");
  });
  // Others may add rows at the same time.
  await engine.begun(session);
  const { rowsChanged } = await session.connection.run(
    `INSERT INTO ${relation.duckdb} (${names.map(encoded).join(", ")}) ${source}`,
  );
  return counted("insert", { "number of rows inserted": rowsChanged });
}

function sourceOf(tokens: readonly Token[], engine: Engine, session: Session): string {
  const reader = new Reader(tokens);
  if (!reader.takes("VALUES")) {
    const [first] = tokens;
    if (first === undefined || !isA(first, "SELECT")) throw compilation("a query was expected");
    return translated(tokens, engine.scope(session));
  }
  if (tokens.some((token) => isA(token, "PARSE_JSON"))) {
    throw new SnowflakeFault(
      "002014",
      "22000",
      "SQL compilation error:\nInvalid expression [PARSE_JSON] in VALUES clause",
    );
  }
  const rows = items(reader.rest()).map((row) => translated(row, engine.scope(session)));
  return `SELECT * FROM (VALUES ${rows.join(", ")})`;
}

export async function update(engine: Engine, session: Session, reader: Reader): Promise<Answer> {
  const relation = await engine.changing(session, reader.chain(), "UPDATE");
  reader.expect("SET");
  const scope = engine.scope(session);
  const pairs = items(reader.until("WHERE")).map((tokens) => {
    const pair = new Reader(tokens);
    const [name = ""] = pair.chain();
    pair.expect("=");
    return [name, translated(pair.rest(), scope)] as const;
  });
  const where = reader.takes("WHERE") ? ` WHERE ${translated(reader.rest(), scope)}` : "";
  const values = pairs.map(([, value]) => value).join(", ");
  const types = await typesOf(session, `SELECT ${values} FROM ${relation.duckdb}`);
  pairs.forEach(([name], i) => {
    refuseText(relation, name, types[i] ?? "");
  });
  await engine.locking(session, relation);
  const set = pairs.map(([name, value]) => `${encoded(name)} = ${value}`).join(", ");
  const { rowsChanged } = await session.connection.run(
    `UPDATE ${relation.duckdb} SET ${set}${where}`,
  );
  return counted("update", {
    "number of rows updated": rowsChanged,
    "number of multi-joined rows updated": 0,
  });
}

export async function deleteFrom(
  engine: Engine,
  session: Session,
  reader: Reader,
): Promise<Answer> {
  reader.expect("FROM");
  const relation = await engine.changing(session, reader.chain(), "DELETE");
  const where = reader.takes("WHERE")
    ? ` WHERE ${translated(reader.rest(), engine.scope(session))}`
    : "";
  if (!reader.isDone) throw compilation(`unexpected '${reader.next().text}'.`);
  await engine.locking(session, relation);
  const { rowsChanged } = await session.connection.run(`DELETE FROM ${relation.duckdb}${where}`);
  return counted("delete", { "number of rows deleted": rowsChanged });
}
