import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { connectionSpec } from "../../../src/config/connection-spec.js";
import { errorsOf, logged } from "../../protocols/airbyte/protocol.js";
import { account, KEY } from "../support/account.js";
import { folder } from "../support/program.js";
import { CATALOG, configured, file, source } from "./support.js";

/** The commands that read nothing, and what is said of arguments and files that are not right. */

const status = (messages: Awaited<ReturnType<typeof source>>["messages"]) =>
  messages.flatMap((m) => m.connectionStatus ?? []);

test("spec is one message, and asks nobody", async () => {
  const { code, messages, stderr } = await source(["spec"]);

  expect(messages).toEqual([{ type: "SPEC", spec: connectionSpec() }]);
  expect([code, stderr]).toEqual([0, ""]);
});

test("discover is one message, with a configuration or without, and asks nobody", async () => {
  const a = await account();

  const { code, messages, text } = await source(["discover", "--config", a.config()]);
  const without = await source(["discover"]);

  expect(messages).toEqual([{ type: "CATALOG", catalog: { streams: CATALOG } }]);
  expect(code).toBe(0);
  expect(without.text).toBe(text);
  expect(a.simulator.requestCount).toBe(0);
});

test("check: a key that reads the account succeeds, and says whose it is", async () => {
  const a = await account();

  const { code, messages } = await source(["check", "--config", a.config()]);

  expect(code).toBe(0);
  expect(status(messages)).toEqual([{ status: "SUCCEEDED" }]);
  expect(messages.at(-1)?.type).toBe("CONNECTION_STATUS");
  expect(logged(messages, "INFO")).toEqual([
    expect.stringMatching(/^region us, account ".+", \d+/),
  ]);
  expect(a.simulator.requestCount).toBeLessThanOrEqual(3);
});

type Prepared = readonly [settings: object, simulator?: object];
const fault = (status: number): Prepared => [
  {},
  { faults: [{ match: {}, times: Infinity, fault: { kind: "status", status } }] },
];

describe("check fails with exit status 0 and says what to do about", () => {
  test.each<readonly [string, Prepared, RegExp]>([
    ["a wrong key", [{ api_key: "another-key" }], /answered 401 \(check api_key and region: /],
    ["a wrong region", fault(404), /answered 404 \(set region to the one/],
    ["a plan without the API", fault(403), /403/],
    ["a spent quota", fault(429), /429/],
    ["a server that is down", fault(503), /answered 503 \(run again later/],
    ["nobody listening", [{ api_url: "http://127.0.0.1:9" }], /check: GET \/v1\/account .* \(/],
    ["a page for people", [{}, { faults: [{ match: {}, fault: { kind: "html" } }] }], /page|HTML/i],
    ["a setting of another type", [{ max_rejects: "many" }], /max_rejects/],
    ["a choice that there is not", [{ region: "mars" }], /region must be one of us, eu/],
    ["no key", [{ api_key: null }], /api_key is missing/],
  ])("%s", async (_, [settings, simulator], what) => {
    const a = await account(simulator);

    const { code, messages, stderr } = await source(["check", "--config", a.config(settings)]);

    expect(code).toBe(0);
    expect(status(messages)).toEqual([
      { status: "FAILED", message: expect.stringMatching(what) as string },
    ]);
    // The acceptance tests take any trace for an exception.
    expect(messages.filter((m) => m.type === "TRACE")).toEqual([]);
    expect(stderr).toBe("");
    // Somebody waits for it: nothing is asked twice, of nobody who listens either.
    expect(a.simulator.requestCount).toBeLessThanOrEqual(1);
    expect(status(messages)[0]?.message).not.toMatch(/ times in /);
  });

  test.each([
    ["that is not JSON", `{"api_key": "${KEY}"`, "is not JSON"],
    ["that is a list", "[]", "is not a JSON object"],
    ["that is empty", "", "is empty"],
  ])("a configuration %s", async (_, content, what) => {
    const a = await account();

    const { code, messages, text } = await source(["check", "--config", file(a, "c.txt", content)]);

    expect(code).toBe(0);
    expect(status(messages)).toEqual([
      { status: "FAILED", message: expect.stringContaining(what) as string },
    ]);
    expect(text).not.toContain(KEY);
  });
});

test("settings may be null, in any file, after a byte order mark, and with keys of the platform", async () => {
  const a = await account();
  const config = {
    api_key: KEY,
    api_url: a.simulator.url,
    start_date: null,
    rate_limit: { per_second: 0, per_minute: null, per_day: null },
    __injected_declarative_manifest: {},
    _note: "ours",
    extra: 1,
  };
  const path = file(a, "config.txt", `\uFEFF${JSON.stringify(config)}`);

  const { messages } = await source(["check", `--config=${path}`]);

  expect(status(messages)).toEqual([{ status: "SUCCEEDED" }]);
  expect(logged(messages, "WARN")).toEqual(["config: extra is not a setting: ignored"]);
});

describe("is one error trace of a faulty configuration, and exit status 2:", () => {
  const missing = join("no", "such", "config.json");
  test.each<readonly [string, readonly string[], RegExp]>([
    ["no command", [], /^no command \(use source-knowbe4 spec \| check \| discover \| read\)$/],
    ["an unknown command", ["write"], /unknown command 'write'.* \(use source-knowbe4/],
    ["check without --config", ["check"], /required option '--config <file>' not specified/],
    ["read without --catalog", ["read", "--config", "x"], /required option '--catalog <file>'/],
    ["an unknown option", ["spec", "--pretty"], /unknown option '--pretty'/],
    ["more than a command takes", ["spec", "now"], /too many arguments/],
    [
      "read with a configuration that is not there",
      ["read", "--config", missing, "--catalog", "x"],
      /config: .*config\.json does not exist/,
    ],
  ])("%s", async (_, argv, what) => {
    const { code, messages, stderr } = await source(argv);

    expect(code).toBe(2);
    expect(messages).toHaveLength(1);
    expect(errorsOf(messages)).toMatchObject([
      { failure_type: "config_error", message: expect.stringMatching(what) as string },
    ]);
    expect(stderr).toBe("");
  });
});

test("a key on the command line, where it does not belong, is not repeated", async () => {
  for (const argv of [
    ["spec", `--api_key=${KEY}`],
    ["discover", "--api-key", KEY],
  ]) {
    const { code, text, stderr } = await source(argv);

    expect(code).toBe(2);
    expect(text + stderr).not.toContain(KEY);
  }
});

describe("a catalog that is not right is one error trace, and nothing is read:", () => {
  test.each<readonly [string, unknown, string]>([
    ["not there", undefined, "does not exist"],
    ["empty", "", "is empty"],
    ["not JSON", `{"streams": ["${KEY}"`, "is not JSON"],
    ["not a list", { streams: {} }, "streams is not a list"],
    ["of an impossible sync mode", configured([{ name: "users", mode: "INVALID" }]), "sync_mode"],
    ["of a stream twice", configured(["users", "users"]), "is in the catalog twice"],
    [
      "of an unknown stream and an impossible mode",
      configured([{ name: "bogus", mode: "INVALID" }]),
      "sync_mode",
    ],
  ])("%s", async (_, content, what) => {
    const a = await account();
    const path = content === undefined ? join(folder(), "no.json") : file(a, "c.txt", content);

    const { code, messages, text } = await source([
      ...["read", "--config", a.config(), "--catalog", path],
    ]);

    expect(code).toBe(2);
    expect(messages).toHaveLength(1);
    expect(errorsOf(messages)).toMatchObject([
      { failure_type: "config_error", message: expect.stringContaining(what) as string },
    ]);
    expect(text).not.toContain(KEY);
    expect(a.simulator.requestCount).toBe(0);
  });
});
