import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { account, DEFAULTS, KEY } from "./support/account.js";
import { messagesIn } from "./support/messages.js";
import { run } from "./support/program.js";

/** What stands on stderr beside the protocol. */

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly stream_name: string | null;
  readonly metric_info?: { readonly metric: string; readonly value: number };
}

/** All of them must be there, or Meltano takes the line for opaque text. */
const FIELDS = [
  "level",
  "pid",
  "logger_name",
  "ts",
  "thread_name",
  "app_name",
  "stream_name",
  "message",
  "extra",
];

function logLines(errors: readonly string[]): readonly LogLine[] {
  return errors.map((line) => {
    const parsed = JSON.parse(line) as LogLine;
    expect(Object.keys(parsed)).toEqual(expect.arrayContaining(FIELDS));
    return parsed;
  });
}

test("text lines say per stream what was read, and nothing but messages is on stdout", async () => {
  const a = await account();

  const { stdout, errors } = await run("tap-knowbe4", ["--config", a.config()]);

  expect(messagesIn(stdout).length).toBeGreaterThan(100);
  for (const line of errors) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \S/);
  const streams = errors.flatMap((line) => /Z (\w+): [\d,]+ rows? in/.exec(line)?.[1] ?? []);
  expect(streams.toSorted()).toEqual([...DEFAULTS].toSorted());
});

test("with --log-format json every line has the fields that Meltano parses", async () => {
  const a = await account();

  const args = ["--config", a.config(), "--log-format", "json", "--log-level", "debug"];
  const { code, stdout, errors } = await run("tap-knowbe4", args);

  expect(code).toBe(0);
  messagesIn(stdout);
  const log = logLines(errors);
  expect(new Set(log.map((line) => line.level))).toEqual(new Set(["debug", "info"]));
  const counted = log.flatMap(({ metric_info: m }) =>
    m?.metric === "record_count" ? m.value : [],
  );
  const records = messagesIn(stdout).filter((m) => m.type === "RECORD");
  expect(counted.reduce((sum, n) => sum + n, 0)).toBe(records.length);
  expect(log.find((line) => line.message.startsWith("users: 3"))?.stream_name).toBe("users");
});

test("a runner asks for JSON through SINGER_SDK_LOG_CONFIG, and for a level by variable", async () => {
  const a = await account();
  const path = join(a.cwd, "logging.json");
  const formatter = { "()": "singer_sdk.logging.StructuredFormatter" };
  writeFileSync(path, JSON.stringify({ version: 1, formatters: { structured: formatter } }));

  const { errors } = await run("tap-knowbe4", ["--config", a.config()], {
    env: { SINGER_SDK_LOG_CONFIG: path, TAP_KNOWBE4_LOGLEVEL: "WARNING" },
  });

  for (const line of logLines(errors)) expect(line.level).toBe("warning");
});

test.each(["text", "json"])("a failure is one line in %s too", async (format) => {
  const a = await account();
  const config = a.config({ regoin: "eu" });

  const ended = await run("tap-knowbe4", ["--config", config, "--log-format", format]);

  expect(ended).toMatchObject({ code: 2, stdout: "", errors: [expect.any(String)] });
  const message = 'config: unknown setting "regoin": did you mean "region"?';
  if (format === "text") expect(ended.stderr).toBe(`tap-knowbe4: ${message}\n`);
  else expect(logLines(ended.errors)[0]).toMatchObject({ level: "error", message });
});

test("--log-level silent says nothing while all goes well", async () => {
  const a = await account();

  const ended = await run("tap-knowbe4", ["--config", a.config(), "--log-level", "silent"]);

  expect(ended).toMatchObject({ code: 0, stderr: "" });
});

test.each(["tap-knowbe4", "knowbe4"] as const)(
  "%s names no person and no key, however much it logs",
  async (bin) => {
    const a = await account({ users: 60, tests: 8 });
    const sync = ["sync", "--streams", "users,group_members,enrollments,user_risk_score_history"];
    const args = [...(bin === "knowbe4" ? sync : []), "--config", a.config()];

    const { code, stderr } = await run(bin, [...args, "--log-level", "debug"], { cwd: a.cwd });

    expect(code).toBe(0);
    const users = [...a.simulator.account.rows("users")];
    const words = new Set(stderr.split(/[^\p{L}\p{N}@.-]+/u));
    for (const field of ["id", "email", "first_name", "last_name", "employee_number"]) {
      const values = users.map((user) => String(user[field] as string | number));
      expect(
        values.filter((value) => words.has(value)),
        field,
      ).toEqual([]);
    }
    expect(stderr).not.toContain("@");
    expect(stderr).not.toContain(KEY);
    expect(stderr).toMatch(/GET \/v1\/users 200 in/);
  },
);
