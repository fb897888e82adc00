import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { startStandin, type Standin } from "../../support/snowflake/server.js";
import type { Account } from "./account.js";

/** A stand-in for Snowflake that lasts as long as the test, and the destination that it is. */
export async function snowflake(
  a: Account,
): Promise<{ readonly standin: Standin; readonly destination: object }> {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const standin = await startStandin({
    users: [{ name: "LOADER", publicKey: pair.publicKey, roles: ["LOADER_ROLE"] }],
  });
  onTestFinished(() => standin[Symbol.asyncDispose]());
  const key = join(a.cwd, "key.pem");
  writeFileSync(key, pair.privateKey, { mode: 0o600 });
  const place = { account: "test", user: "loader", warehouse: "wh", database: "kb4" };
  const access = { access_url: standin.url, private_key_file: key };
  return { standin, destination: { type: "snowflake", ...place, ...access } };
}
