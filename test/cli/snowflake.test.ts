import { generateKeyPairSync } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { columnsOf } from "../../src/core/columns.js";
import { rowsOf } from "../support/snowflake/look.js";
import { startStandin, type Standin } from "../support/snowflake/server.js";
import {
  account,
  DEFAULTS,
  defOf,
  keyOf,
  lines,
  truth,
  type Account,
  type Row,
} from "./support/account.js";
import { expectOneLine } from "./support/faulty.js";
import { run, startShell, type Ended } from "./support/program.js";
import { withoutOptional } from "./support/slim.js";

/** From an account into Snowflake, by the programs that people run. */

const patience = { timeout: 60_000 };

const KEY = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

async function server(): Promise<Standin> {
  const standin = await startStandin({
    users: [{ name: "LOADER", publicKey: KEY.publicKey, roles: ["LOADER_ROLE"] }],
  });
  onTestFinished(() => standin[Symbol.asyncDispose]());
  return standin;
}

function destination(a: Account, { url }: Standin, more: object = {}): object {
  writeFileSync(join(a.cwd, "key.pem"), KEY.privateKey, { mode: 0o600 });
  const place = { account: "test", user: "loader", warehouse: "wh", database: "kb4" };
  const given = { type: "snowflake", ...place, access_url: url, private_key_file: "key.pem" };
  return { destination: { ...given, ...more } };
}

function knowbe4(a: Account, command: string, settings: object): Promise<Ended> {
  return run("knowbe4", [command, "--config", a.config(settings)], { cwd: a.cwd });
}

/** Rows of a stream in the declared shape. */
async function held({ engine }: Standin, stream: string): Promise<readonly Row[]> {
  const names = columnsOf(defOf(stream)).map(({ name }) => name);
  const rows = await rowsOf(engine, "KB4.KNOWBE4", stream.toUpperCase());
  return rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null])));
}

test(
  "sync fills every table with the account's truth, on the first day and on a later one",
  patience,
  async () => {
    const a = await account({ users: 40, tests: 6 });
    const standin = await server();
    const settings = destination(a, standin);

    expect(await knowbe4(a, "sync", settings)).toMatchObject({ code: 0 });
    for (const stream of DEFAULTS) {
      expect(lines(await held(standin, stream)), stream).toEqual(lines(truth(a, stream)));
    }
    a.simulator.advance(1);
    expect(await knowbe4(a, "sync", settings)).toMatchObject({ code: 0 });

    for (const stream of DEFAULTS) {
      const rows = await held(standin, stream);
      expect(lines(rows), stream).toEqual(expect.arrayContaining([...lines(truth(a, stream))]));
      expect(new Set(rows.map(keyOf(stream))).size, stream).toBe(rows.length);
    }
    expect(readdirSync(a.cwd).filter((name) => name.endsWith(".log"))).toEqual([]);
  },
);

test("verify counts what is there, and says what is not what the API tells", patience, async () => {
  const a = await account({ trainingCampaigns: 9 });
  const settings = destination(a, await server());
  expect(await knowbe4(a, "sync", settings)).toMatchObject({ code: 0 });

  const equal = await knowbe4(a, "verify", settings);
  expect(a.simulator.account.deleteEnrollment()).toBeDefined();
  const differs = await knowbe4(a, "verify", settings);

  expect(equal, equal.stderr).toMatchObject({ code: 0, stderr: "" });
  expect(differs.code).toBe(6);
  expect(differs.stderr).toMatch(/^knowbe4: verify: 1 stream differs from the API: enrollments/);
});

test("check says where rows would go, and makes nothing", patience, async () => {
  const a = await account();
  const standin = await server();

  const ended = await knowbe4(a, "check", destination(a, standin));

  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(ended.stdout).toMatch(/\nok: destination snowflake test, schema kb4.knowbe4\n$/);
  expect(standin.engine.catalog.schemas.size).toBe(0);
});

test("check lists what is missing as statements to run", patience, async () => {
  const a = await account();
  const standin = await server();
  standin.engine.catalog.roles.set("LOADER_ROLE", [
    { privilege: "USAGE", on: "WAREHOUSE", name: "WH" },
  ]);

  const ended = await knowbe4(a, "check", destination(a, standin));

  expect(ended.code).toBe(7);
  expect(ended.stderr).toContain('GRANT USAGE ON DATABASE "KB4" TO ROLE "LOADER_ROLE"');
  expect(ended.stderr).toContain('GRANT CREATE SCHEMA ON DATABASE "KB4" TO ROLE "LOADER_ROLE"');
});

test("a key that is refused: one line, and nothing is read", patience, async () => {
  const a = await account();
  const standin = await server();

  const ended = await knowbe4(a, "sync", destination(a, standin, { user: "nobody" }));

  expectOneLine(ended, 7, "logging in failed: Snowflake refused the key");
  expect(a.simulator.requestCount).toBe(0);
});

test("nothing to log in with: one line, and nothing is read", patience, async () => {
  const a = await account();
  const standin = await server();

  const ended = await knowbe4(a, "sync", destination(a, standin, { private_key_file: undefined }));

  expectOneLine(ended, 2, "nothing says how to log in to Snowflake");
  expect(a.simulator.requestCount).toBe(0);
});

test("an installation without optional packages says what to install", patience, async () => {
  const a = await account();
  const standin = await server();
  const slim = withoutOptional(a.cwd);
  const config = a.config(destination(a, standin));

  const ended = await startShell(`"$NODE" ${slim} sync --config ${config}`, { cwd: a.cwd }).ended;

  expectOneLine(ended, 2, "destination.type snowflake: the driver snowflake-sdk is not installed");
  expect(ended.stderr).toContain("npm install snowflake-sdk@~3.3.0");
  expect(standin.requests).toEqual([]);
});
