import { expect, test } from "vitest";

import { errorsOf, logged } from "../../protocols/airbyte/protocol.js";
import { account, DEFAULTS, KEY } from "../support/account.js";
import { read } from "./support.js";

/** What must be in no line but a record's: keys, people, and what only programmers read. */

/** Where the first attempt is the last. */
const ONCE = { retry: { max_attempts: 1, max_seconds: 1 } };

const answering = (stream: (typeof DEFAULTS)[number], status: number) => ({
  match: { stream },
  times: Infinity,
  fault: { kind: "status", status } as const,
});

/** Lines that people and platforms keep: everything but the records. */
const besidesRecords = (text: string) =>
  text
    .split("\n")
    .filter((line) => !line.startsWith('{"type":"RECORD"'))
    .join("\n");

test.each([
  ["--debug", ["--debug"], {}],
  ["LOG_LEVEL=debug", [], { LOG_LEVEL: "debug" }],
])(
  "no key, name or address of a person is in any log, trace or state, with %s",
  async (_, args, env) => {
    const a = await account({ users: 12, tests: 6 });
    const people = [...a.simulator.account.rows("users")].flatMap((row) => [
      ...[row["email"], row["first_name"], row["last_name"], row["employee_number"]],
    ]);
    for (const stream of ["policies", "security_test_recipients"] as const) {
      a.simulator.addFault({ ...answering(stream, 503), match: { stream, nth: 3 } });
    }
    a.simulator.addFault({
      match: { stream: "store_purchases" },
      times: Infinity,
      fault: { kind: "html" },
    });
    a.simulator.addFault({
      match: { stream: "users" },
      times: Infinity,
      fault: { kind: "rename", field: "email", to: "new_email" },
    });

    const { messages, text, stderr } = await read(a, {
      streams: DEFAULTS,
      args,
      env,
      settings: ONCE,
    });

    expect(logged(messages, "DEBUG").length).toBeGreaterThan(10);
    expect(errorsOf(messages).length).toBeGreaterThan(0);
    const said = `${besidesRecords(text)}\n${stderr}`;
    expect(said).not.toContain(KEY);
    expect(said).not.toContain(encodeURIComponent(KEY));
    const words = new Set(said.split(/[^\p{L}\p{N}@.+_-]+/u));
    const names = people.flatMap((value) => (typeof value === "string" ? [value] : []));
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => name.length > 2 && words.has(name))).toEqual([]);
    expect(said).not.toMatch(/[\w.+-]+@[\w-]+\./);
  },
);

test("no stack trace is on stdout", async () => {
  const a = await account({ users: 8, tests: 4 });
  for (const stream of DEFAULTS) a.simulator.addFault(answering(stream, 503));

  const { text } = await read(a, { streams: DEFAULTS, args: ["--debug"], settings: ONCE });

  expect(text).not.toMatch(/\\n\s+at |node:internal|\.ts:\d|\.js:\d/);
});
