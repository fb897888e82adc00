import { ConnectorError } from "../../core/errors.js";
import { exactly, nameOf } from "./names.js";

/** How to prove who one is: exactly one way. */
export type Credentials =
  | { readonly way: "key"; readonly privateKey: string; readonly passphrase?: string }
  | { readonly way: "token"; readonly token: string; readonly type: "programmatic" | "oauth" }
  | { readonly way: "password"; readonly password: string };

/** Where to load to, and as whom. Names as people write them. */
export interface SnowflakeOptions {
  /** `myorg-myaccount`. */
  readonly account: string;
  readonly user: string;
  readonly role?: string;
  readonly warehouse: string;
  readonly database: string;
  readonly schema: string;
  readonly credentials: Credentials;
  /** Another address of the service, on this machine: for tests. */
  readonly accessUrl?: string;
  /** Seconds that one statement may take. */
  readonly statementSeconds: number;
}

/** What can be given to say who one is. */
export interface Secrets {
  readonly private_key?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly token?: string | undefined;
  readonly token_type: "programmatic" | "oauth";
  readonly password?: string | undefined;
}

/** @throws ConnectorError `config` unless exactly one way is given. */
export function credentialsOf(secrets: Secrets): Credentials {
  const { private_key: privateKey, passphrase, token, token_type: type, password } = secrets;
  const found: Credentials[] = [];
  if (privateKey !== undefined) {
    found.push({ way: "key", privateKey, ...(passphrase === undefined ? {} : { passphrase }) });
  }
  if (token !== undefined) found.push({ way: "token", token, type });
  if (password !== undefined) found.push({ way: "password", password });
  const [only, second] = found;
  if (only !== undefined && second === undefined) return only;
  throw new ConnectorError(
    "config",
    only === undefined
      ? "config: destination: nothing says how to log in to Snowflake"
      : "config: destination: more than one way to log in to Snowflake is set",
    { hint: "set destination.private_key_file, or destination.token, and no other" },
  );
}

/** @throws ConnectorError `config` for an account or an address that cannot be one. */
export function checkAddress({ account, accessUrl }: SnowflakeOptions): void {
  if (!/^[\w-]+(\.[\w-]+)*$/.test(account) || /snowflakecomputing/i.test(account)) {
    throw new ConnectorError("config", "config: destination.account is not an account identifier", {
      hint: "give it as myorg-myaccount, without https:// and without .snowflakecomputing.com",
    });
  }
  if (accessUrl !== undefined && !isLoopback(accessUrl)) {
    throw new ConnectorError("config", "config: destination.access_url is not on this machine", {
      hint: "leave it out: the address follows from destination.account",
    });
  }
}

/** The key or token goes to that address: never to another machine. */
function isLoopback(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username } = new URL(address);
  const isHere = ["127.0.0.1", "[::1]", "localhost"].includes(hostname);
  return isHere && username === "" && (protocol === "http:" || protocol === "https:");
}

/** For messages: where it is. */
export function placeOf({ account, database, schema }: SnowflakeOptions): string {
  return `snowflake ${account} ${nameOf(database)}.${nameOf(schema)}`;
}

/** A name as the driver passes it on: read once more as SQL. */
export function identifier(setting: string): string {
  const name = nameOf(setting);
  return /^[A-Z_][A-Z0-9_$]*$/.test(name) ? name : exactly(name);
}
