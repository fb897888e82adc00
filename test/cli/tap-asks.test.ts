import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { account, ALL } from "./support/account.js";
import { messagesIn, recordsOf } from "./support/messages.js";
import { folder, run } from "./support/program.js";

/** What the tap says about itself and the account without a whole run. */

const ROOT = join(import.meta.dirname, "../..");
const VERSION = (
  JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }
).version;

test("--discover prints the catalog of the package, without configuration and network", async () => {
  const ended = await run("tap-knowbe4", ["--discover"], { cwd: folder() });

  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(ended.stdout).toBe(readFileSync(join(ROOT, "catalog.json"), "utf8"));
});

test("--discover works with a configuration that is not there, as runners pass one", async () => {
  const ended = await run("tap-knowbe4", ["--config", "gone.json", "-d"], { cwd: folder() });

  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(ended.stdout)).toHaveProperty("streams");
});

test("knowbe4 discover prints the same catalog", async () => {
  const ended = await run("knowbe4", ["discover"]);

  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(ended.stdout).toBe(readFileSync(join(ROOT, "catalog.json"), "utf8"));
});

test.each(["knowbe4", "tap-knowbe4"] as const)(
  "%s --version is that of the package",
  async (bin) => {
    const ended = await run(bin, ["--version"]);

    expect(ended).toMatchObject({ code: 0, stdout: `${bin} v${VERSION}\n`, stderr: "" });
  },
);

test("--about names every stream and setting, in text, Markdown and JSON", async () => {
  const text = await run("tap-knowbe4", ["--about"]);
  const markdown = await run("tap-knowbe4", ["--about", "--format", "markdown"]);
  const json = await run("tap-knowbe4", ["--about", "--format=json"]);

  for (const ended of [text, markdown, json]) {
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    for (const word of [...ALL, "api_key", "rate_limit", VERSION])
      expect(ended.stdout).toContain(word);
  }
  expect(markdown.stdout).toMatch(/^# /);
  expect(JSON.parse(json.stdout)).toMatchObject({
    name: "tap-knowbe4",
    version: VERSION,
    settings: { required: ["api_key"], properties: { api_key: { secret: true, writeOnly: true } } },
  });
});

test("--about in another format is refused", async () => {
  const ended = await run("tap-knowbe4", ["--about", "--format", "xml"]);

  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.stderr).toBe("tap-knowbe4: --format xml: must be text, json or markdown\n");
});

test("--test reads a row of every stream, also of those that are off, and leaves no state", async () => {
  const a = await account({ users: 300 });

  const ended = await run("tap-knowbe4", ["--config", a.config(), "--test"]);

  expect(ended.code).toBe(0);
  const messages = messagesIn(ended.stdout);
  const counts = ALL.map((stream) => [stream, recordsOf(messages, stream).length]);
  expect(counts).toEqual(ALL.map((stream) => [stream, 1]));
  expect(messages.filter((m) => m.type === "STATE").map((m) => m.value?.bookmarks)).toEqual([{}]);
  expect(a.simulator.requestCount).toBeLessThan(20);
});

test("--test=schema writes the schemas and asks for nothing", async () => {
  const a = await account();

  const ended = await run("tap-knowbe4", ["--config", a.config(), "--test=schema"]);

  expect(ended.code).toBe(0);
  const messages = messagesIn(ended.stdout).filter((m) => m.type !== "STATE");
  expect(messages.map((m) => `${m.type} ${m.stream!}`).toSorted()).toEqual(
    ALL.map((stream) => `SCHEMA ${stream}`).toSorted(),
  );
  expect(a.simulator.requestCount).toBe(0);
});

test("--test of another kind is refused", async () => {
  const a = await account();

  const ended = await run("tap-knowbe4", ["--config", a.config(), "--test=rows"]);

  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.stderr).toBe("tap-knowbe4: --test=rows: must be all or schema\n");
});

test("--help of both programs names every command and flag", async () => {
  const knowbe4 = await run("knowbe4", ["--help"]);
  const tap = await run("tap-knowbe4", ["--help"]);

  expect([knowbe4.code, tap.code]).toEqual([0, 0]);
  for (const name of ["demo", "sync", "check", "discover", "load", "state", "simulate"]) {
    expect(knowbe4.stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  }
  for (const flag of ["config", "catalog", "properties", "state", "discover", "about", "test"]) {
    expect(tap.stdout).toContain(`--${flag} `);
  }
});
