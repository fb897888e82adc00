import { compilation, SnowflakeFault } from "./fault.js";
import { isA, Reader, type Token } from "./lexer.js";

/** DuckDB's name of a name: the case of letters counts in Snowflake, and not in DuckDB. */
export function encoded(name: string): string {
  const marked = name.replace(/[~a-z]/g, (letter) => `~${letter}`);
  return `"${marked.replaceAll('"', '""')}"`;
}

/** The opposite of {@link encoded}, without quotes. */
export function decoded(name: string): string {
  return name.replace(/~(.)/gs, "$1");
}

export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** DuckDB's types for Snowflake's. */
const TYPES: Readonly<Record<string, string>> = {
  VARCHAR: "VARCHAR",
  STRING: "VARCHAR",
  NUMBER: "DECIMAL(38,0)",
  INTEGER: "DECIMAL(38,0)",
  FLOAT: "DOUBLE",
  BOOLEAN: "BOOLEAN",
  DATE: "DATE",
  TIMESTAMP_TZ: "TIMESTAMPTZ",
  TIMESTAMP_NTZ: "TIMESTAMP",
  VARIANT: "JSON",
};

/** Functions that are known, and what they are in DuckDB. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  COUNT: "count",
  MAX: "max",
  MIN: "min",
  SUM: "sum",
  ROW_NUMBER: "row_number",
  COALESCE: "coalesce",
  GREATEST: "sf_greatest",
  DATEADD: "sf_dateadd",
  IFF: "if",
  PARSE_JSON: "sf_parse_json",
  TO_JSON: "sf_to_json",
  STRIP_NULL_VALUE: "sf_strip_null_value",
  TO_VARCHAR: "sf_to_varchar",
  CONVERT_TIMEZONE: "sf_convert_timezone",
  LOWER: "lower",
  TRIM: "trim",
  CONTAINS: "contains",
  GET_PATH: "sf_get_path",
};

/** Macros that {@link FUNCTIONS} rest on. */
export const MACROS: readonly string[] = [
  // DuckDB's own leaves nulls out.
  "CREATE MACRO sf_greatest(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN greatest(a, b) END",
  "CREATE MACRO sf_dateadd(part, n, x) AS CASE WHEN part = 'MILLISECOND' THEN x + to_milliseconds(n) ELSE error('unknown part') END",
  "CREATE MACRO sf_parse_json(x) AS CAST(x AS JSON)",
  "CREATE MACRO sf_to_json(x) AS CAST(x AS VARCHAR)",
  "CREATE MACRO sf_strip_null_value(x) AS CASE WHEN json_type(x) = 'NULL' THEN NULL ELSE x END",
  "CREATE MACRO sf_convert_timezone(zone, x) AS CASE WHEN zone = 'UTC' THEN x ELSE error('only UTC') END",
  "CREATE MACRO sf_get_path(x, path) AS json_extract(CAST(x AS JSON), '$.' || path)",
  `CREATE MACRO sf_to_varchar(x, format) AS CASE format
    WHEN 'YYYY-MM-DD"T"HH24:MI:SS.FF3"Z"' THEN strftime(x, '%Y-%m-%dT%H:%M:%S.%gZ')
    WHEN 'YYYY-MM-DD' THEN strftime(x, '%Y-%m-%d') ELSE error('unknown format') END`,
  "CREATE MACRO sf_varchar(x) AS CASE WHEN typeof(x) = 'JSON' THEN to_json(x) ->> '$' ELSE CAST(x AS VARCHAR) END",
];

/** Words that are no names. */
const KEYWORDS = new Set(
  `SELECT FROM WHERE AND OR NOT NULL IS IN AS ON CASE WHEN THEN ELSE END LEFT INNER JOIN UNION ALL ORDER BY DESC ASC
  LIMIT GROUP HAVING DISTINCT QUALIFY OVER PARTITION LIKE TRUE FALSE BETWEEN EXISTS`.split(/\s+/),
);

/** After these a table is meant. */
const BEFORE_TABLE = new Set(["FROM", "JOIN"]);

/** What a translation asks of its session. */
export interface Scope {
  /** DuckDB's name of a table, or a fault. */
  table(chain: readonly string[]): string;
  /** Value of a function without arguments: `CURRENT_ROLE`. */
  context(name: string): string | undefined;
}

/** An expression or a query in DuckDB's SQL. */
export function translated(tokens: readonly Token[], scope: Scope): string {
  const reader = new Reader(tokens);
  const out: string[] = [];
  let last = "";
  while (!reader.isDone) {
    const token = reader.peek();
    if (token === undefined) break;
    if (token.kind === "text") out.push(text(reader.text()));
    else if (isA(token, "::")) out.push(cast(reader, out.pop() ?? ""));
    else if (token.kind === "sign" || token.kind === "number") out.push(sign(reader.next()));
    else if (token.kind === "word" && KEYWORDS.has(token.text)) out.push(reader.next().text);
    else if (token.kind === "word" && isOpening(reader.peek(1))) out.push(called(reader, scope));
    else out.push(named(reader.chain(), last, scope));
    last = token.text;
  }
  return out.join(" ");
}

function sign({ text: it }: Token): string {
  if (it === ";") throw compilation("unexpected ';'.");
  return it;
}

function named(chain: readonly string[], last: string, scope: Scope): string {
  if (BEFORE_TABLE.has(last) || chain.length === 3) return scope.table(chain);
  return chain.map(encoded).join(".");
}

function isOpening(token: Token | undefined): boolean {
  return token !== undefined && isA(token, "(");
}

function called(reader: Reader, scope: Scope): string {
  const { text: name } = reader.next();
  const value = scope.context(name);
  if (value !== undefined) {
    reader.parenthesis();
    return value;
  }
  const known = FUNCTIONS[name];
  if (known === undefined) {
    throw new SnowflakeFault("002140", "42601", `SQL compilation error:\nUnknown function ${name}`);
  }
  return `${known}(${translated(reader.parenthesis(), scope)})`;
}

function cast(reader: Reader, operand: string): string {
  reader.expect("::");
  const { snowflake, duckdb } = typeNext(reader);
  return snowflake === "VARCHAR" ? `sf_varchar(${operand})` : `CAST(${operand} AS ${duckdb})`;
}

/** The type that comes next, in both languages. */
export function typeNext(reader: Reader): { readonly snowflake: string; readonly duckdb: string } {
  const { text: name } = reader.next();
  const duckdb = TYPES[name];
  if (duckdb === undefined) {
    throw new SnowflakeFault(
      "002040",
      "42601",
      `SQL compilation error:\nUnsupported data type '${name}'.`,
    );
  }
  if (!isOpening(reader.peek())) return { snowflake: name, duckdb };
  const [whole, , part] = reader.parenthesis();
  if (name === "VARCHAR") return { snowflake: `VARCHAR(${whole?.text ?? ""})`, duckdb };
  const size = `(${whole?.text ?? "38"},${part?.text ?? "0"})`;
  return { snowflake: `${name}${size}`, duckdb: `DECIMAL${size}` };
}
