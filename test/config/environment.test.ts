import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { loadConfig, type ConfigSources } from "../../src/config/load.js";
import type { Config } from "../../src/config/schema.js";
import { configJsonSchema, envName, settings } from "../../src/config/settings.js";

/** `TAP_KNOWBE4_*`, secrets in files, and values that arrive as text. */

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const KEY = { TAP_KNOWBE4_API_KEY: "key" };

function load(env: ConfigSources["env"], content?: object): Config {
  const files = content === undefined ? [] : [file("config.json", content)];
  return loadConfig({ files, env });
}

const problem = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  throw new Error("no problem was found");
};

test("every plain setting can be given as a variable", () => {
  const values: Readonly<Record<string, string>> = {
    api_key: "key",
    region: "eu",
    api_url: "http://127.0.0.1:8080",
    start_date: "2026-01-31",
    pagination: "page",
    "destination.type": "duckdb",
    "destination.mode": "append",
    "destination.max_vanished_ratio": "0.5",
    "destination.memory_limit": "1GB",
    on_quota_exhausted: "wait",
    group_members: "endpoint",
    deleted_records: "all",
    "privacy.preset": "pseudonymous",
    "privacy.rules": '{"users.email": "drop"}',
  };
  const fitting = settings().filter((s) => s.types.length === 0 || s.types.includes("duckdb"));
  const env = fitting.map((s) => [
    envName(s),
    values[s.path.join(".")] ?? (s.type === "number" ? "7" : "text"),
  ]);

  const config = load(Object.fromEntries(env) as Record<string, string>);

  expect(config).toMatchObject({
    region: "eu",
    page_size: 7,
    rate_limit: { per_second: 7, per_minute: 7, per_day: 7, reserve: 7 },
    retry: { max_attempts: 7, max_seconds: 7 },
    privacy: { preset: "pseudonymous", key: "text", rules: { "users.email": "drop" } },
    destination: {
      type: "duckdb",
      mode: "append",
      max_vanished_ratio: 0.5,
      path: "text",
      memory_limit: "1GB",
    },
  });
});

test("the environment wins over files, setting by setting", () => {
  const config = load(
    { ...KEY, TAP_KNOWBE4_RATE_LIMIT_PER_MINUTE: "100" },
    { api_key: "other", region: "de", rate_limit: { per_second: 2, per_minute: 20 } },
  );

  expect(config).toMatchObject({
    api_key: "key",
    region: "de",
    rate_limit: { per_second: 2, per_minute: 100 },
  });
});

test.each([
  ["50", 50],
  [" 50 ", 50],
  ["5e1", 50],
  ["0", 0],
])("the number %j is read as %i", (text, expected) => {
  expect(load({ ...KEY, TAP_KNOWBE4_LOOKBACK_DAYS: text }).lookback_days).toBe(expected);
  expect(load(KEY, { lookback_days: text }).lookback_days).toBe(expected);
});

test("null as text lifts a limit that may be null", () => {
  expect(load({ ...KEY, TAP_KNOWBE4_RATE_LIMIT_PER_DAY: "null" }).rate_limit.per_day).toBeNull();
});

test.each(["many", "50 a day", "0x10", "true", "null", "1.5", "1e999"])(
  "the number %j is refused by name",
  (text) => {
    const message = problem(() => load({ ...KEY, TAP_KNOWBE4_LOOKBACK_DAYS: text }));

    expect(message).toMatch(/^config: lookback_days: /);
    expect(message).not.toContain(text === "null" || text === "true" ? "'" : text);
  },
);

test("text that looks like a number stays text where text is declared", () => {
  const config = load({ TAP_KNOWBE4_API_KEY: "12345", TAP_KNOWBE4_DESTINATION_PATH: "7" });

  expect(config).toMatchObject({ api_key: "12345", destination: { path: "7" } });
});

test("an empty variable is not set", () => {
  expect(load({ ...KEY, TAP_KNOWBE4_REGION: "", TAP_KNOWBE4_PAGE_SIZE: "" }).page_size).toBe(500);
});

test("a group of settings may be one JSON object, from the environment or as text in a file", () => {
  const group = '{"per_second": 2, "per_minute": "20"}';

  const env = load({ ...KEY, TAP_KNOWBE4_RATE_LIMIT: group });
  const text = load(KEY, { rate_limit: group, destination: '{"path":"x.duckdb"}' });

  expect(env.rate_limit).toEqual({ per_second: 2, per_minute: 20, per_day: null, reserve: 0 });
  expect(text).toMatchObject({
    rate_limit: { per_second: 2, per_minute: 20 },
    destination: { type: "duckdb", path: "x.duckdb" },
  });
});

test("a group as JSON and its settings on their own are merged, in whatever order they stand", () => {
  const group = { TAP_KNOWBE4_RATE_LIMIT: '{"per_second": 2, "per_minute": 20}' };
  const single = { TAP_KNOWBE4_RATE_LIMIT_PER_MINUTE: "30" };
  const content = { rate_limit: { per_second: 1, per_day: 100 } };
  const expected = { per_second: 2, per_minute: 30, per_day: 100, reserve: 0 };

  expect(load({ ...KEY, ...group, ...single }, content).rate_limit).toEqual(expected);
  expect(load({ ...KEY, ...single, ...group }, content).rate_limit).toEqual(expected);
});

test("a group that is no JSON object is refused by name", () => {
  const message = problem(() => load({ ...KEY, TAP_KNOWBE4_RATE_LIMIT: "canary" }));

  expect(message).toMatch(/^config: rate_limit: /);
  expect(message).not.toContain("canary");
});

test("variables of other programs with our prefix are told apart from mistakes", () => {
  const others = { TAP_KNOWBE4__LOAD_SCHEMA: "x", TAP_KNOWBE4_LOGLEVEL: "debug", PATH: "/bin" };

  expect(load({ ...KEY, ...others }).region).toBe("us");
  expect(problem(() => load({ ...KEY, TAP_KNOWBE4_REGOIN: "eu" }))).toBe(
    'config: unknown setting TAP_KNOWBE4_REGOIN: did you mean "TAP_KNOWBE4_REGION"?',
  );
});

test("a key may stand in a file of its own, without the line's end", () => {
  const path = file("key.txt", "key-from-file\n");

  expect(load({ TAP_KNOWBE4_API_KEY_FILE: path }).api_key).toBe("key-from-file");
  expect(load({}, { api_key_file: path }).api_key).toBe("key-from-file");
});

test("a key file that cannot be read is told without its path: that may be the key", () => {
  const message = problem(() => load({ TAP_KNOWBE4_API_KEY_FILE: join(folder, "canary") }));

  expect(message).toBe("config: api_key_file: the file cannot be read");
});

test("an empty key file is no key", () => {
  const path = file("key.txt", "\n");

  const message = problem(() => load({ TAP_KNOWBE4_API_KEY_FILE: path }));

  expect(message).toBe("config: api_key is empty or not text");
});

test("later sources win between a key and a key file too", () => {
  const path = file("key.txt", "from-file");
  const gone = join(folder, "gone.txt");

  expect(load(KEY, { api_key_file: gone }).api_key).toBe("key");
  expect(load({ TAP_KNOWBE4_API_KEY_FILE: path }, { api_key: "old" }).api_key).toBe("from-file");
});

test("a key and a key file in the same place contradict each other", () => {
  const path = file("key.txt", "from-file");

  expect(problem(() => load({}, { api_key: "key", api_key_file: path }))).toBe(
    "config: api_key and api_key_file are both set: leave one out",
  );
});

test("every setting is described, typed and shown with its default in the JSON schema", () => {
  const schema = JSON.stringify(configJsonSchema());

  expect(settings().filter((s) => s.description === "")).toEqual([]);
  expect(
    settings()
      .filter((s) => s.required && s.path.length === 1)
      .map((s) => s.path),
  ).toEqual([["api_key"]]);
  expect(
    settings()
      .filter((s) => s.secret)
      .map((s) => s.path),
  ).toEqual([
    ["api_key"],
    ["privacy", "key"],
    ...["key_json", "private_key", "passphrase", "token", "password"].map((key) => [
      "destination",
      key,
    ]),
  ]);
  expect(schema).toContain('"airbyte_secret":true');
});

test("a destination of another type takes its own settings from variables and files", () => {
  const key = file("key.json", '{"type":"service_account"}');
  const destination = {
    TAP_KNOWBE4_DESTINATION_TYPE: "bigquery",
    TAP_KNOWBE4_DESTINATION_PROJECT: "my-project",
    TAP_KNOWBE4_DESTINATION_CREATE_DATASET: "false",
    TAP_KNOWBE4_DESTINATION_MAX_BYTES_BILLED: "1000",
    TAP_KNOWBE4_DESTINATION_KEY_JSON_FILE: key,
  };

  const config = load({ ...KEY, ...destination });

  expect(config.destination).toEqual({
    type: "bigquery",
    project: "my-project",
    dataset: "knowbe4",
    create_dataset: false,
    max_bytes_billed: 1000,
    key_json: '{"type":"service_account"}',
    mode: "merge",
    max_vanished_ratio: 0.2,
  });
});

test("a setting of another type of destination is told with the types that have it", () => {
  const env = { ...KEY, TAP_KNOWBE4_DESTINATION_PROJECT: "my-project" };

  expect(problem(() => load(env))).toBe(
    'config: destination.project is no setting of destination.type "duckdb", only of "bigquery"',
  );
});
