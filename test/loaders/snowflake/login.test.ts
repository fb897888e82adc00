import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { RECOVERY } from "../../../src/core/errors.js";
import type { Credentials } from "../../../src/loaders/snowflake/options.js";
import { credentialsOf } from "../../../src/loaders/snowflake/index.js";
import { failure, PEOPLE } from "../support.js";
import { desk, KEY } from "./support.js";

/** Who may log in, and what is said to those who may not. */

const PASSPHRASE = "correct horse";

const encrypted = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: {
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: PASSPHRASE,
  },
});
const other = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const curve = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

const key = (privateKey: string, passphrase?: string): Credentials => ({
  way: "key",
  privateKey,
  ...(passphrase === undefined ? {} : { passphrase }),
});

const users = [
  { name: "LOADER", publicKey: KEY.publicKey, roles: ["LOADER_ROLE", "OTHER_ROLE"] },
  { name: "SEALED", publicKey: encrypted.publicKey, roles: ["LOADER_ROLE"] },
  { name: "SERVICE", token: "pat-secret", roles: ["LOADER_ROLE"] },
  { name: "HUMAN", password: "pass-secret", roles: ["LOADER_ROLE"] },
];

describe("logs in", () => {
  test.for([
    ["with a key", "loader", key(KEY.privateKey)],
    ["with a key on one line", "loader", key(KEY.privateKey.replaceAll("\n", "\\n"))],
    ["with an encrypted key", "sealed", key(encrypted.privateKey, PASSPHRASE)],
    [
      "with a programmatic token",
      "service",
      { way: "token", token: "pat-secret", type: "programmatic" },
    ],
    ["with an OAuth token", "service", { way: "token", token: "pat-secret", type: "oauth" }],
    ["with a password", "human", { way: "password", password: "pass-secret" }],
  ] as const)("%s", async ([, user, credentials]) => {
    const at = await desk({ users });

    await at.load(PEOPLE, [{ id: 1, name: "Ada" }], { user, credentials });

    expect(await at.rows("people")).toHaveLength(1);
  });

  test("with a password, but says that there are better ways", async () => {
    const at = await desk({ users });

    await at.load(PEOPLE, [], {
      user: "human",
      credentials: { way: "password", password: "pass-secret" },
    });

    expect(at.events.filter((event) => event.type === "warning")).toEqual([
      {
        type: "warning",
        stream: null,
        message:
          "destination.password: Snowflake is ending sign-in by a password alone; use destination.private_key_file",
      },
    ]);
  });

  test("without writing a log or a word about it", async () => {
    const at = await desk({ users });

    await at.load(PEOPLE, []);

    expect(existsSync("snowflake.log")).toBe(false);
  });
});

describe("says in one line, with exit code 7,", () => {
  test.for([
    [
      "that the key is another's",
      { credentials: key(other.privateKey) },
      /logging in failed: Snowflake refused the key$/,
      /RSA_PUBLIC_KEY/,
    ],
    [
      "that the key is encrypted",
      { credentials: key(encrypted.privateKey) },
      /^destination.private_key is encrypted and there is no passphrase$/,
      /passphrase_file/,
    ],
    [
      "that the passphrase is wrong",
      { credentials: key(encrypted.privateKey, "guess") },
      /^destination.passphrase does not open destination.private_key$/,
      /passphrase/,
    ],
    [
      "that it is no key",
      { credentials: key("-----BEGIN NONSENSE-----") },
      /^destination.private_key is not a private key in PEM form$/,
      /openssl/,
    ],
    [
      "that it is no RSA key",
      { credentials: key(curve.privateKey) },
      /^destination.private_key is not an RSA key$/,
      /openssl/,
    ],
    [
      "that the token has expired",
      { credentials: { way: "token", token: "old-secret", type: "programmatic" } },
      /Snowflake refused the token, or it has expired$/,
      /destination.token/,
    ],
    [
      "that the password is wrong",
      { credentials: { way: "password", password: "old-secret" } },
      /Snowflake refused the user or the password$/,
      /by key or token/,
    ],
    [
      "that there is no such user",
      { user: "nobody" },
      /Snowflake refused the key$/,
      /destination.user/,
    ],
    [
      "that the role was not granted",
      { role: "accountadmin" },
      /the role does not exist or was not granted to the user$/,
      /GRANT ROLE/,
    ],
    [
      "that there is no such warehouse",
      { warehouse: "other" },
      /the warehouse does not exist or may not be used$/,
      /GRANT USAGE ON WAREHOUSE/,
    ],
    [
      "that there is no such database",
      { database: "other" },
      /something is missing or not permitted: Database '"OTHER"' does not exist or not authorized$/,
      /knowbe4 check/,
    ],
    [
      "that nobody answers",
      { accessUrl: "http://127.0.0.1:9" },
      /logging in failed: Snowflake could not be reached$/,
      /destination.account/,
    ],
  ] as const)("%s", { timeout: 60_000 }, async ([, options, message, hint]) => {
    const at = await desk({ users });

    const error = await failure(at.load(PEOPLE, [], options));

    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
    expect(error.hint).toMatch(hint);
    expect(RECOVERY[error.kind].exitCode).toBe(7);
    expect(`${error.message} ${error.hint ?? ""}`).not.toMatch(/secret|BEGIN|guess/);
  });
});

describe("refuses before anything is asked", () => {
  test.for([
    ["an address for an account", { account: "https://acme.snowflakecomputing.com" }],
    ["a host for an account", { account: "acme.snowflakecomputing.com" }],
    ["another machine's address", { accessUrl: "https://example.com" }],
    ["an address that looks like this machine's", { accessUrl: "http://127.0.0.1@example.com" }],
    ["an address that is none", { accessUrl: "here" }],
  ] as const)("%s", async ([, options]) => {
    const at = await desk({ users });

    await expect(async () => at.loader(options)).rejects.toMatchObject({ kind: "config" });
    expect(at.standin.requests).toEqual([]);
  });

  test.for([
    ["no way to log in", {}],
    ["two ways", { private_key: "a", token: "b" }],
  ] as const)("%s", ([, secrets]) => {
    expect(() => credentialsOf({ token_type: "programmatic", ...secrets })).toThrow(
      expect.objectContaining({ kind: "config" }),
    );
  });
});
