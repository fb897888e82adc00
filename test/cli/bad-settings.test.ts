import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { account, KEY } from "./support/account.js";
import { expectOneLine, expectUntouched } from "./support/faulty.js";
import { run } from "./support/program.js";

/** Settings that are wrong, given in a file, by the environment or on the command line. */

test.each<[string, object, string]>([
  ["unknown region", { region: "mars" }, "config: region must be one of us, eu, ca, uk, de"],
  [
    "address without TLS",
    { api_url: "http://us.api.knowbe4.com" },
    "api_url: KnowBe4 is asked by https only (write https:// in api_url)",
  ],
  [
    "foreign host",
    { api_url: `https://example.com/` },
    "api_url: host example.com is not below api.knowbe4.com (leave api_url out and set region;",
  ],
  [
    "host that only ends like ours",
    { api_url: "https://evilapi.knowbe4.com" },
    "api_url: host evilapi.knowbe4.com is not below api.knowbe4.com",
  ],
  [
    "address with a password",
    { api_url: `https://me:${KEY}@us.api.knowbe4.com` },
    "api_url: has a user, a password, a query or a fragment",
  ],
  ["address that is none", { api_url: "knowbe4" }, "api_url: not an address"],
  ["empty key", { api_key: "" }, "config: api_key is empty or not text"],
  ["key with a line's end in it", { api_key: `${KEY}\n${KEY}` }, "config: api_key holds spaces"],
  ["unknown setting", { regoin: "eu" }, 'unknown setting "regoin": did you mean "region"?'],
  [
    "unknown setting in a group",
    { rate_limit: { per_minuet: 5 } },
    'unknown setting "rate_limit.per_minuet": did you mean "rate_limit.per_minute"?',
  ],
  ["number out of range", { page_size: 501 }, "config: page_size: Too big: expected"],
  [
    "other destination",
    { destination: { type: "oracle" } },
    "destination.type must be one of duckdb",
  ],
  ["empty path", { destination: { path: "" } }, "config: destination.path: "],
  [
    "database in memory",
    { destination: { path: ":memory:" } },
    'destination.path: ":memory:" is not a file',
  ],
  [
    "key file that is gone",
    { api_key: undefined, api_key_file: "/gone" },
    "api_key_file: the file",
  ],
])("%s: one line, and nothing is asked or made", async (_, settings, line) => {
  const a = await account();

  const ended = await run("knowbe4", ["sync", "--config", a.config(settings)], { cwd: a.cwd });

  expectOneLine(ended, 2, line);
  expectUntouched(a);
});

test.each<[string, Readonly<Record<string, string>>, string]>([
  ["a word for a number", { PAGE_SIZE: "many" }, "config: page_size: expected number"],
  ["a number for a word", { PAGINATION: "5" }, "config: pagination must be one of auto, page"],
  ["a number for a group", { RATE_LIMIT: "5" }, "config: rate_limit: expected object"],
  ["a fraction for a count", { RETRY_MAX_ATTEMPTS: "1.5" }, "config: retry.max_attempts: "],
  ["an unknown name", { PAGE_SISE: "5" }, 'did you mean "TAP_KNOWBE4_PAGE_SIZE"?'],
  [
    "a secret file that is gone",
    { API_KEY_FILE: "/gone" },
    "config: api_key_file: the file cannot",
  ],
  ["a blank key", { API_KEY: "  " }, "config: api_key is empty or not text"],
])("%s in the environment: one line", async (_, given, line) => {
  const a = await account();
  const env = Object.fromEntries(Object.entries(given).map(([k, v]) => [`TAP_KNOWBE4_${k}`, v]));

  for (const [bin, ...args] of [["knowbe4", "sync"], ["tap-knowbe4"]] as const) {
    const ended = await run(bin, [...args, "--config", a.config()], { cwd: a.cwd, env });
    expectOneLine(ended, 2, line);
  }
  expectUntouched(a);
});

test("without a key it is said where to put one", async () => {
  const a = await account();

  for (const [bin, ...args] of [
    ["knowbe4", "sync"],
    ["knowbe4", "check"],
    ["tap-knowbe4"],
  ] as const) {
    const ended = await run(bin, args, { cwd: a.cwd });
    const line = "config: api_key is missing: set it in the file or as TAP_KNOWBE4_API_KEY";
    expect(ended).toMatchObject({ code: 2, stdout: "", stderr: `${bin}: ${line}\n` });
  }
  expectUntouched(a);
});

test("all problems of a configuration are told at once, a line each", async () => {
  const a = await account();
  const path = a.config({ region: "mars", page_size: 0, regoin: "eu", api_key: "" });

  const ended = await run("tap-knowbe4", ["--config", path]);

  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.errors.toSorted()).toEqual([
    "tap-knowbe4: config: api_key is empty or not text",
    "tap-knowbe4: config: page_size: Too small: expected number to be >=1",
    "tap-knowbe4: config: region must be one of us, eu, ca, uk, de",
    'tap-knowbe4: config: unknown setting "regoin": did you mean "region"?',
  ]);
});

test.each<[string, string | undefined, string]>([
  ["is not there", undefined, "does not exist"],
  ["is not JSON", `{"api_key": "${KEY}"`, "is not JSON"],
  ["is a list", `["${KEY}"]`, "is not a JSON object"],
  ["is empty", "", "is empty"],
])("a configuration that %s is named, not quoted", async (_, content, what) => {
  const a = await account();
  const path = join(a.cwd, "given.json");
  if (content !== undefined) writeFileSync(path, content);

  for (const [bin, ...args] of [["knowbe4", "sync"], ["tap-knowbe4"]] as const) {
    const ended = await run(bin, [...args, "--config", path], { cwd: a.cwd });
    expectOneLine(ended, 2, `${bin}: config: ${path} ${what}`);
  }
  expectUntouched(a);
});

test("- without anything on standard input is told as such", async () => {
  const a = await account();

  const ended = await run("knowbe4", ["check", "--config", "-"], { stdin: "" });

  expectOneLine(ended, 2, "config: standard input is empty");
  expectUntouched(a);
});

test.each<[readonly string[], string]>([
  [["synk"], "unknown command 'synk' (Did you mean sync?)"],
  [["sync", "--fullrefresh"], "unknown option '--fullrefresh' (Did you mean --full-refresh?)"],
  [["sync", "--streams", "user"], 'unknown stream "user" (did you mean "users"?)'],
  [["sync", "--streams", ","], "names no stream"],
  [["sync", "--streams"], "option '--streams <names>' argument missing"],
  [
    ["sync", "--log-level", "loud"],
    "'loud' is invalid. Must be one of debug, info, warning, error",
  ],
  [["sync", "--log-format", "xml"], "'xml' is invalid. Must be one of text, json."],
  [["sync", "extra"], "too many arguments"],
  [["state", "shwo"], "unknown command 'shwo' (Did you mean show?)"],
  [["demo", "--users", "none"], "'none' is invalid. Must be a whole number from 1 to 50,000."],
  [["demo", "--users", "0"], "'0' is invalid. Must be a whole number from 1 to 50,000."],
  [["demo", "--path", ""], "'' is invalid. Must be a file's name."],
  [["simulate", "--users", "0"], "'0' is invalid. Must be a whole number from 1 to 50,000."],
  [["simulate", "--paging", "both-ways"], "'both-ways' is invalid. Must be one of cursor, page"],
  [["simulate", "--today", "yesterday"], "'yesterday' is invalid. Must be a day, as 2026-06-01."],
  [["simulate", "--port", "99999"], "'99999' is invalid. Must be a whole number from 0 to 65,535."],
  [["simulate", "--advance", "1"], "--advance needs the --port"],
])("knowbe4 %j: one line", async (args, line) => {
  const a = await account();

  const ended = await run("knowbe4", args, { cwd: a.cwd });

  expectOneLine(ended, 2, `knowbe4: `);
  expectOneLine(ended, 2, line);
  expectUntouched(a);
});

test("tap-knowbe4 tells of a flag that it does not have in one line", async () => {
  const ended = await run("tap-knowbe4", ["--discovery"]);

  expectOneLine(ended, 2, "tap-knowbe4: unknown option '--discovery' (Did you mean --discover?)");
});

test("a program without a command says what there is", async () => {
  const ended = await run("knowbe4", []);

  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.stderr).toMatch(/^Usage: knowbe4 /);
});
