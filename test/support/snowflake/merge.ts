import { counted, type Answer } from "./answer.js";
import type { Relation } from "./catalog.js";
import { namesIn } from "./ddl.js";
import type { Engine } from "./engine.js";
import { compilation, SnowflakeFault } from "./fault.js";
import { items, Reader, type Token } from "./lexer.js";
import type { Session } from "./session.js";
import { decoded, encoded, translated, type Scope } from "./translate.js";
import { refuseText } from "./write.js";

/** A `WHEN` of a merge. */
interface Clause {
  readonly isMatched: boolean;
  readonly condition: string;
  readonly action: string;
}

export async function mergeInto(engine: Engine, session: Session, reader: Reader): Promise<Answer> {
  reader.expect("INTO");
  const relation = await engine.changing(session, reader.chain());
  const target = aliasOf(reader);
  reader.expect("USING");
  const scope = engine.scope(session);
  const query = translated(reader.parenthesis(), scope);
  const source = aliasOf(reader);
  reader.expect("ON");
  const on = translated(reader.until("WHEN"), scope);
  const from = `(${query}) AS ${encoded(source)}`;
  const types = await sourceTypes(session, query);
  const place: Place = { relation, target, source, scope, types };
  const clauses: Clause[] = [];
  while (!reader.isDone) clauses.push(clauseOf(reader, place, engine, session));

  await engine.locking(session, relation);
  return engine.together(session, async () => {
    const into = `${relation.duckdb} AS ${encoded(target)}`;
    const updated = await matches(session, `${into} JOIN ${from} ON ${on}`, clauses, target);
    const whens = clauses.map(
      ({ isMatched, condition, action }) =>
        `WHEN ${isMatched ? "" : "NOT "}MATCHED${condition === "" ? "" : ` AND (${condition})`} THEN ${action}`,
    );
    const { rowsChanged } = await session.connection.run(
      `MERGE INTO ${into} USING ${from} ON (${on}) ${whens.join(" ")}`,
    );
    const inserts = clauses.some(({ isMatched }) => !isMatched);
    const updates = clauses.some(({ isMatched }) => isMatched);
    return counted("merge", {
      ...(inserts ? { "number of rows inserted": rowsChanged - updated } : {}),
      ...(updates ? { "number of rows updated": updated } : {}),
    });
  });
}

interface Place {
  readonly relation: Relation;
  readonly target: string;
  readonly source: string;
  readonly scope: Scope;
  readonly types: ReadonlyMap<string, string>;
}

function aliasOf(reader: Reader): string {
  reader.expect("AS");
  return reader.chain()[0] ?? "";
}

async function sourceTypes(session: Session, query: string): Promise<ReadonlyMap<string, string>> {
  const described = await session.connection.runAndReadAll(`DESCRIBE ${query}`);
  return new Map(
    described
      .getRowObjects()
      .map((row) => [decoded(String(row["column_name"])), String(row["column_type"])]),
  );
}

function clauseOf(reader: Reader, place: Place, engine: Engine, session: Session): Clause {
  const { relation, scope } = place;
  const may = (privilege: string): void => {
    const name = relation.name.split("\0").join(".");
    if (relation.kind === "BASE TABLE")
      engine.catalog.require(session.role, privilege, "TABLE", name);
  };
  reader.expect("WHEN");
  const isMatched = !reader.takes("NOT");
  reader.expect("MATCHED");
  const condition = reader.takes("AND") ? translated(reader.until("THEN"), scope) : "";
  reader.expect("THEN");
  if (isMatched) {
    may("UPDATE");
    reader.expect("UPDATE", "SET");
    const set = items(reader.until("WHEN")).map((tokens) => assigned(tokens, place));
    return { isMatched, condition, action: `UPDATE SET ${set.join(", ")}` };
  }
  may("INSERT");
  reader.expect("INSERT");
  const names = namesIn(reader.parenthesis());
  reader.expect("VALUES");
  const values = items(reader.parenthesis());
  if (values.length !== names.length)
    throw compilation("Insert value list does not match column list");
  names.forEach((name, i) => {
    refuseText(relation, name, typeOf(values[i] ?? [], place));
  });
  const row = values.map((value) => translated(value, scope)).join(", ");
  return {
    isMatched,
    condition,
    action: `INSERT (${names.map(encoded).join(", ")}) VALUES (${row})`,
  };
}

function assigned(tokens: readonly Token[], place: Place): string {
  const reader = new Reader(tokens);
  const chain = reader.chain();
  const name = chain.at(-1) ?? "";
  if (chain.length > 1 && chain[0] !== place.target) {
    throw new SnowflakeFault("000904", "42000", `invalid identifier '${chain.join(".")}'`);
  }
  reader.expect("=");
  const value = reader.rest();
  refuseText(place.relation, name, typeOf(value, place));
  return `${encoded(name)} = ${translated(value, place.scope)}`;
}

/** DuckDB's type of a value, as far as it is told by a column of the source or a literal. */
function typeOf(tokens: readonly Token[], { source, types }: Place): string {
  const [first, , last] = tokens;
  if (tokens.length === 1) return first?.kind === "text" ? "VARCHAR" : "";
  return tokens.length === 3 && first?.text === source ? (types.get(last?.text ?? "") ?? "") : "";
}

/**
 * How many rows a merge updates.
 *
 * @throws SnowflakeFault if several rows of the source mean one of the table.
 */
async function matches(
  session: Session,
  join: string,
  clauses: readonly Clause[],
  target: string,
): Promise<number> {
  const matched = clauses.find(({ isMatched }) => isMatched);
  if (matched === undefined) return 0;
  const condition = matched.condition === "" ? "true" : matched.condition;
  const row = `${encoded(target)}.rowid`;
  const counting = `SELECT count(*) AS n, count(DISTINCT ${row}) AS d FROM ${join} WHERE ${condition}`;
  const [found] = (await session.connection.runAndReadAll(counting)).getRowObjects();
  if (found?.["n"] !== found?.["d"]) {
    throw new SnowflakeFault("100090", "42P18", "Duplicate row detected during DML action");
  }
  return Number(found?.["n"]);
}
