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
