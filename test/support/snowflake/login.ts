import { createHash, createPublicKey, verify } from "node:crypto";

import { SnowflakeFault } from "./fault.js";

/** Somebody who may log in, and how. */
export interface User {
  readonly name: string;
  readonly password?: string;
  /** Programmatic access token or OAuth token. */
  readonly token?: string;
  /** PEM. */
  readonly publicKey?: string;
  readonly roles: readonly string[];
}

/** What a login request says. */
export interface Login {
  readonly LOGIN_NAME?: string;
  readonly PASSWORD?: string;
  readonly AUTHENTICATOR?: string;
  readonly TOKEN?: string;
}

/** Whoever a login request speaks for. @throws SnowflakeFault */
export function authenticated(users: readonly User[], account: string, login: Login): User {
  const name = (login.LOGIN_NAME ?? "").toUpperCase();
  const user = users.find((one) => one.name === name);
  const way = (login.AUTHENTICATOR ?? "SNOWFLAKE").toUpperCase();
  if (way === "SNOWFLAKE_JWT") {
    if (
      user?.publicKey !== undefined &&
      isSigned(login.TOKEN ?? "", user.publicKey, account, name)
    ) {
      return user;
    }
    throw new SnowflakeFault("390144", "08001", "JWT token is invalid.");
  }
  if (way === "OAUTH" || way === "PROGRAMMATIC_ACCESS_TOKEN") {
    const found = users.find((one) => one.token !== undefined && one.token === login.TOKEN);
    if (found !== undefined) return found;
    throw way === "OAUTH"
      ? new SnowflakeFault("390303", "08001", "Invalid OAuth access token.")
      : new SnowflakeFault("394400", "08001", "Programmatic access token is invalid.");
  }
  if (user?.password !== undefined && user.password === login.PASSWORD) return user;
  throw new SnowflakeFault("390100", "08001", "Incorrect username or password was specified.");
}

/** Whether a token was made with the other half of a key, for this user, and lives still. */
function isSigned(token: string, publicKey: string, account: string, user: string): boolean {
  const [head = "", body = "", signature = ""] = token.split(".");
  const key = createPublicKey(publicKey);
  const isGenuine = verify(
    "sha256",
    Buffer.from(`${head}.${body}`),
    key,
    Buffer.from(signature, "base64url"),
  );
  if (!isGenuine) return false;
  const der = key.export({ format: "der", type: "spki" });
  const print = createHash("sha256").update(der).digest("base64");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as {
    readonly iss: string;
    readonly sub: string;
  };
  const who = `${account.toUpperCase()}.${user}`;
  return claims.iss === `${who}.SHA256:${print}` && claims.sub === who;
}
