import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { loadConfig, type ConfigSources } from "../../src/config/load.js";
import type { Config } from "../../src/config/schema.js";
import { ConnectorError } from "../../src/core/errors.js";

/** From files, environment and command line to one checked configuration. */

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Writes a file and gives its path: text as it is, anything else as JSON. */
function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const load = (sources: Partial<ConfigSources>): Config =>
  loadConfig({ files: [], env: {}, ...sources });

/** The configuration that one file with this content, and a key, gives. */
const loadFile = (content: object, env: ConfigSources["env"] = {}): Config =>
  load({ files: [file("config.json", { api_key: "key", ...content })], env });

function problems(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === "config") {
      return error.message.split("\n");
    }
    throw error;
  }
  throw new Error("no problem was found");
}

const CANARY = "canary-4711";

test("a key is all that is needed", () => {
  expect(loadFile({})).toEqual({
    api_key: "key",
    region: "us",
    pagination: "auto",
    page_size: 500,
    rate_limit: { per_second: 4, per_minute: 50, per_day: null, reserve: 0 },
    on_quota_exhausted: "stop",
    priority: "",
    concurrency: 4,
    group_members: "auto",
    lookback_days: 30,
    reverify_days: 30,
    max_rejects: 0,
    deleted_records: "none",
    retry: { max_attempts: 8, max_seconds: 600 },
    request_timeout: 60,
    privacy: { preset: "full", rules: {} },
    destination: expect.objectContaining({ type: "duckdb", path: "knowbe4.duckdb" }),
  });
});

test("without a key it is said where to put one, unless none is needed", () => {
  expect(problems(() => load({}))).toEqual([
    "config: api_key is missing: set it in the file or as TAP_KNOWBE4_API_KEY",
  ]);
  expect(load({ withoutKey: true }).region).toBe("us");
});

test("all problems are told at once, each with the setting and the fix", () => {
  const content = {
    regoin: "eu",
    pagination: "both",
    page_size: 501,
    start_date: "2026-02-30",
    concurrency: "many",
    rate_limit: { per_minuet: 10, per_second: -1 },
    destination: { type: "oracle" },
  };

  const found = problems(() =>
    load({ files: [file("a.json", content)], env: { TAP_KNOWBE4_PAGE_SISE: "5" } }),
  );

  expect(found.toSorted()).toEqual(
    [
      "config: api_key is missing: set it in the file or as TAP_KNOWBE4_API_KEY",
      "config: concurrency: expected number, received string",
      "config: destination.type must be one of duckdb, bigquery, jsonl, snowflake",
      "config: page_size: Too big: expected number to be <=500",
      "config: pagination must be one of auto, page, cursor",
      "config: rate_limit.per_second: Too small: expected number to be >=0",
      "config: start_date: Invalid ISO date",
      'config: unknown setting "rate_limit.per_minuet": did you mean "rate_limit.per_minute"?',
      'config: unknown setting "regoin": did you mean "region"?',
      'config: unknown setting TAP_KNOWBE4_PAGE_SISE: did you mean "TAP_KNOWBE4_PAGE_SIZE"?',
    ].toSorted(),
  );
});

test("a choice that one type of destination does not have is refused for that type alone", () => {
  const content = { destination: { type: "jsonl", mode: "history" } };

  expect(problems(() => loadFile(content))).toEqual([
    'config: destination.mode must be one of merge, append, replace for destination.type "jsonl"',
  ]);
  expect(problems(() => loadFile({ destination: { mode: "histroy" } }))).toEqual([
    "config: destination.mode must be one of merge, append, replace, history",
  ]);
});

test("a setting that is nothing like ours is named without a guess", () => {
  expect(problems(() => loadFile({ banana: 1, constructor: 1 }))).toEqual([
    'config: unknown setting "banana"',
    'config: unknown setting "constructor"',
  ]);
});

test("a key named __proto__ is an unknown setting like any other", () => {
  const path = file("config.json", '{"api_key":"key","__proto__":{"region":"eu"}}');

  expect(problems(() => load({ files: [path] }))).toEqual(['config: unknown setting "__proto__"']);
});

test.each([
  [{ api_key: 5 }, "config: api_key is empty or not text"],
  [{ api_key: "" }, "config: api_key is empty or not text"],
  [{ api_key: "  \n" }, "config: api_key is empty or not text"],
  [{ api_key: null }, "config: api_key is empty or not text"],
  [{ api_key: [CANARY] }, "config: api_key is empty or not text"],
  [{ api_key: `${CANARY}\r\nHost: evil` }, "config: api_key holds spaces or other characters"],
  [{ api_key: `${CANARY} ` + CANARY }, "config: api_key holds spaces or other characters"],
  [{ api_key_file: 5 }, "config: api_key_file is not text"],
])("%j is no key", (content, problem) => {
  const found = problems(() => load({ files: [file("config.json", content)] }));

  expect(found).toEqual([expect.stringContaining(problem)]);
});

test("white space around a key is not part of it", () => {
  expect(loadFile({ api_key: " key\n" }).api_key).toBe("key");
  expect(load({ env: { TAP_KNOWBE4_API_KEY: "key\n" } }).api_key).toBe("key");
});

test("no value that anybody wrote into a setting is in any message", () => {
  const wrong = fc.constantFrom<unknown>(
    CANARY,
    [CANARY],
    { [CANARY]: CANARY },
    47114711,
    -47114711,
  );
  const names = ["api_key", "region", "api_url", "start_date", "pagination", "page_size", "retry"];
  const settings = fc.record(
    Object.fromEntries(
      [...names, "rate_limit", "concurrency", "lookback_days", "destination", "api_key_file"].map(
        (name) => [name, wrong],
      ),
    ),
    { requiredKeys: [] },
  );

  fc.assert(
    fc.property(settings, (content) => {
      let told = "";
      try {
        load({ files: [file("config.json", content)], env: { TAP_KNOWBE4_RETRY: CANARY } });
      } catch (error) {
        told = error instanceof ConnectorError ? `${error.message} ${String(error.hint)}` : CANARY;
      }

      // The name of a setting that does not exist is no value: it has to be told.
      const withoutNames = told.replaceAll(/unknown setting "[^"]*"/g, "");
      expect(withoutNames).not.toContain(CANARY);
      expect(withoutNames).not.toContain("47114711");
    }),
  );
});

test.each<[string, string | undefined, string]>([
  ["is not there", undefined, "does not exist"],
  ["is empty", " \n", "is empty"],
  ["is not JSON", `{"api_key": "${CANARY}"`, "is not JSON"],
  ["is a list", `["${CANARY}"]`, "is not a JSON object"],
  ["is a text", `"${CANARY}"`, "is not a JSON object"],
  ["is null", "null", "is not a JSON object"],
])("a file that %s is named, not quoted", (_, content, problem) => {
  const path = join(folder, "config.json");
  if (content !== undefined) writeFileSync(path, content);

  const found = problems(() => load({ files: [path] }));

  expect(found).toEqual([`config: ${path} ${problem}`]);
});

test("a folder in place of a file is named with the system's reason", () => {
  expect(problems(() => load({ files: [folder] }))).toEqual([
    `config: ${folder} cannot be read (EISDIR)`,
  ]);
});

test("later files win, setting by setting, one level deep", () => {
  const files = [
    file("a.json", { api_key: "a", region: "eu", rate_limit: { per_second: 1, per_minute: 10 } }),
    file("b.json", { api_key: "b", rate_limit: { per_minute: 20 }, retry: { max_attempts: 2 } }),
  ];

  expect(load({ files })).toMatchObject({
    api_key: "b",
    region: "eu",
    rate_limit: { per_second: 1, per_minute: 20, per_day: null, reserve: 0 },
    retry: { max_attempts: 2, max_seconds: 600 },
  });
});

test("- is standard input, read in its turn", () => {
  const files = [file("a.json", { api_key: "a", region: "eu" }), "-"];

  const config = load({ files, stdin: () => '{"region":"ca"}' });

  expect(config).toMatchObject({ api_key: "a", region: "ca" });
  expect(problems(() => load({ files: ["-"], stdin: () => "" }))).toEqual([
    "config: standard input is empty",
  ]);
});

test("ENV is the environment alone, not a file", () => {
  expect(load({ files: ["ENV"], env: { TAP_KNOWBE4_API_KEY: "key" } }).api_key).toBe("key");
});

test("what a command gives wins over everything", () => {
  const path = file("a.json", { api_key: "a", region: "eu", retry: { max_attempts: 2 } });

  const config = load({
    files: [path],
    env: { TAP_KNOWBE4_REGION: "ca" },
    overrides: { region: "uk", retry: { max_seconds: 5 } },
  });

  expect(config).toMatchObject({ region: "uk", retry: { max_attempts: 2, max_seconds: 5 } });
});
