/** What Snowflake answers instead of a result. */
export class SnowflakeFault extends Error {
  readonly code: string;
  readonly sqlState: string;

  constructor(code: string, sqlState: string, message: string) {
    super(message);
    this.code = code;
    this.sqlState = sqlState;
  }
}

export const compilation = (message: string): SnowflakeFault =>
  new SnowflakeFault("001003", "42000", `SQL compilation error:\n${message}`);

export const unknownObject = (kind: string, name: string): SnowflakeFault =>
  new SnowflakeFault(
    "002003",
    "42S02",
    `SQL compilation error:\n${kind} '${name}' does not exist or not authorized.`,
  );

export const denied = (kind: string, name: string): SnowflakeFault =>
  new SnowflakeFault(
    "003001",
    "42501",
    `SQL access control error:\nInsufficient privileges to operate on ${kind} '${name}'.`,
  );

/** What DuckDB has against a statement, in Snowflake's words: they quote values as well. */
export function faultOf(error: unknown): SnowflakeFault {
  if (error instanceof SnowflakeFault) return error;
  const message = error instanceof Error ? error.message.replace(/~(.)/gs, "$1") : String(error);
  if (/NOT NULL constraint failed/.test(message)) {
    return new SnowflakeFault(
      "100072",
      "22000",
      `NULL result in a non-nullable column\n${message}`,
    );
  }
  const column =
    /Referenced column "(.+?)" not found|does not have a column (?:named|with name) "(.+?)"/.exec(
      message,
    );
  if (column !== null) {
    const name = column[1] ?? column[2] ?? "";
    return new SnowflakeFault(
      "000904",
      "42000",
      `SQL compilation error: error line 1\ninvalid identifier '${name}'`,
    );
  }
  if (
    /Conversion Error|Could not convert|Malformed JSON|transform error|Failed to cast/.test(message)
  ) {
    return new SnowflakeFault("100038", "22018", message);
  }
  return compilation(message);
}
