import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { catalogOf } from "../../src/protocols/singer/catalog.js";
import { STREAMS } from "../../streams/index.js";
import {
  account,
  ALL,
  DEFAULTS,
  keyOf,
  lines,
  truth,
  type Account,
  type Row,
} from "./support/account.js";
import {
  lastState,
  messagesIn,
  recordsOf,
  type Message,
  type StateValue,
} from "./support/messages.js";
import { run, type Ended } from "./support/program.js";

/** Whole runs of the tap, from the server to the lines on stdout. */

async function tap(
  a: Account,
  args: readonly string[] = [],
  settings: object = {},
): Promise<Ended> {
  return run("tap-knowbe4", ["--config", a.config(settings), ...args], { cwd: a.cwd });
}

/** Writes a file beside the configuration and gives its path. */
function file(a: Account, name: string, content: unknown): string {
  const path = join(a.cwd, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** A catalog in which exactly these streams are selected. */
function catalog(a: Account, names: readonly string[]): string {
  const { streams } = catalogOf(STREAMS);
  const select = (stream: (typeof streams)[number]) => ({
    ...stream,
    metadata: stream.metadata.map((entry) =>
      entry.breadcrumb.length > 0
        ? entry
        : { ...entry, metadata: { ...entry.metadata, selected: names.includes(stream.stream) } },
    ),
  });
  return file(a, "catalog.json", { streams: streams.map(select) });
}

/** What a target that merges by key holds after these runs. */
function merged(stream: string, ...runs: readonly (readonly Message[])[]): Map<string, Row> {
  const rows = runs.flatMap((messages) => recordsOf(messages, stream));
  return new Map(rows.map((row) => [keyOf(stream)(row), row]));
}

test("a run with all streams gives exactly the rows of the account", async () => {
  const a = await account({ users: 8, tests: 4 });

  const { code, stdout } = await tap(a, ["--catalog", catalog(a, ALL)]);

  expect(code).toBe(0);
  const messages = messagesIn(stdout);
  for (const stream of ALL) {
    expect(lines(recordsOf(messages, stream)), stream).toEqual(lines(truth(a, stream)));
  }
});

test("every line is a message, schemas come first, and states cover what came before", async () => {
  const a = await account();

  const { stdout } = await tap(a);

  const messages = messagesIn(stdout);
  const declared = new Set<string>();
  for (const { type, stream = "", record = {}, schema, key_properties: keys } of messages) {
    expect(["SCHEMA", "RECORD", "STATE"]).toContain(type);
    if (type === "SCHEMA") {
      expect(declared.has(stream), `${stream} is declared twice`).toBe(false);
      declared.add(stream);
      expect(Object.keys(schema?.properties ?? {})).toEqual(expect.arrayContaining([...keys!]));
    }
    if (type === "RECORD") {
      expect(declared.has(stream), `${stream} has a row before its schema`).toBe(true);
      expect(record["_observed_at"]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
  }
  expect([...declared].toSorted()).toEqual([...DEFAULTS].toSorted());
  expect(messages.at(-1)?.type).toBe("STATE");
  expect(Object.keys(lastState(messages).bookmarks)).toEqual(expect.arrayContaining([...DEFAULTS]));
});

test("a stream's bookmark never comes before its last row", async () => {
  const a = await account();

  const messages = messagesIn((await tap(a)).stdout);

  for (const stream of DEFAULTS) {
    const isDone = ({ value }: Message) => value?.bookmarks[stream]?.["completedAt"] != null;
    const done = messages.findIndex(isDone);
    const last = messages.findLastIndex((m) => m.type === "RECORD" && m.stream === stream);
    expect(done, stream).toBeGreaterThan(last);
  }
});

test("what a catalog leaves out is neither read nor written; keys and cursors stay", async () => {
  const a = await account();
  const { streams } = catalogOf(STREAMS);
  const only = (stream: string, fields: readonly string[]) => {
    const entry = streams.find((s) => s.stream === stream)!;
    const metadata = entry.metadata.map((m) => {
      const name = m.breadcrumb.join(".").replaceAll("properties.", "");
      return {
        breadcrumb: m.breadcrumb,
        metadata: { selected: name === "" || fields.includes(name) },
      };
    });
    return { ...entry, metadata };
  };
  const chosen = {
    streams: [
      only("users", ["email"]),
      only("risk_score_history", ["risk_score"]),
      only("enrollments", ["user", "user.id"]),
      { ...only("groups", []), metadata: [{ breadcrumb: [], metadata: { selected: false } }] },
    ],
  };

  const ended = await tap(a, ["--catalog", file(a, "catalog.json", chosen)]);

  expect(ended.code).toBe(0);
  const messages = messagesIn(ended.stdout);
  const fields = (stream: string) => Object.keys(recordsOf(messages, stream)[0] ?? {}).toSorted();
  expect(fields("users")).toEqual(["_observed_at", "email", "id"]);
  expect(fields("risk_score_history")).toEqual(["_observed_at", "date", "risk_score"]);
  expect(fields("enrollments")).toEqual(["_observed_at", "enrollment_id", "user"]);
  expect(Object.keys(recordsOf(messages, "enrollments").find((r) => r["user"])!["user"]!)).toEqual([
    "id",
  ]);
  expect(new Set(messages.flatMap((m) => m.stream ?? []))).toEqual(
    new Set(["users", "risk_score_history", "enrollments"]),
  );
  expect(a.simulator.requests.some((r) => r.stream === "groups")).toBe(false);
});

test("--properties is an older name of --catalog", async () => {
  const a = await account();

  const ended = await tap(a, ["--properties", catalog(a, ["policies"])]);

  expect(ended.code).toBe(0);
  const messages = messagesIn(ended.stdout);
  expect(lines(recordsOf(messages, "policies"))).toEqual(lines(truth(a, "policies")));
  expect(new Set(messages.flatMap((m) => m.stream ?? []))).toEqual(new Set(["policies"]));
});

test("with the state of the last run fewer requests are sent, and nothing is missing", async () => {
  const a = await account({ tests: 12 });
  const first = messagesIn((await tap(a)).stdout);
  const before = a.simulator.requestCount;

  const second = await tap(a, ["--state", file(a, "state.json", lastState(first))]);

  expect(second.code).toBe(0);
  expect(a.simulator.requestCount - before).toBeLessThanOrEqual(before - 12);
  const messages = messagesIn(second.stdout);
  expect(messages[0]).toEqual({ type: "STATE", value: lastState(first) });
  expect(recordsOf(messages, "security_test_recipients")).toEqual([]);
});

test("a day later a run with state gives what changed, and no closed test or old day again", async () => {
  const a = await account({ users: 60, tests: 12, trainingCampaigns: 8 });
  const first = messagesIn((await tap(a)).stdout);
  const old = { recipients: truth(a, "security_test_recipients"), all: truth(a, "enrollments") };
  a.simulator.advance(1);
  a.simulator.account.removeFailure();
  a.simulator.account.resetEnrollment();

  const second = messagesIn(
    (await tap(a, ["--state", file(a, "state.json", lastState(first))])).stdout,
  );

  const given = recordsOf(second, "security_test_recipients");
  const changed = difference(truth(a, "security_test_recipients"), old.recipients);
  const tests = new Set(changed.map((row) => row["pst_id"]));
  expect(changed.length).toBeGreaterThan(0);
  expect(new Set(given.map((row) => row["pst_id"]))).toEqual(tests);
  expect(lines(given)).toEqual(
    lines(truth(a, "security_test_recipients").filter((row) => tests.has(row["pst_id"]))),
  );
  const moved = difference(truth(a, "enrollments"), old.all);
  expect(moved.length).toBeGreaterThan(0);
  expect(lines(recordsOf(second, "enrollments"))).toEqual(
    expect.arrayContaining([...lines(moved)]),
  );
  const days = recordsOf(second, "risk_score_history").map((row) => row["date"]);
  expect(days.toSorted()).toEqual(
    ["05-26", "05-27", "05-28", "05-29", "05-30", "05-31", "06-01", "06-02", "06-03"].map(
      (day) => `2025-${day}`,
    ),
  );
  for (const stream of DEFAULTS) {
    const held = merged(stream, first, second);
    const wanted = truth(a, stream);
    expect(lines(wanted.map((row) => held.get(keyOf(stream)(row))!)), stream).toEqual(
      lines(wanted),
    );
  }
});

function difference(now: readonly Row[], before: readonly Row[]): readonly Row[] {
  const known = new Set(lines(before));
  return now.filter((row) => !known.has(lines([row])[0]!));
}

test.each([
  ["of an SDK tap", { bookmarks: { users: { replication_key: "id" } } }, "no version"],
  ["of a newer version", { version: 2, bookmarks: {} }, "state version 2 is newer"],
  ["of a wrong shape", { version: 1, bookmarks: { users: 5 } }, "bookmarks.users is not an object"],
  ["that is a list", [], "the state is not a JSON object"],
])("a state %s is refused before anything is asked", async (_, state, what) => {
  const a = await account();
  const path = file(a, "state.json", state);

  const ended = await tap(a, ["--state", path]);

  expect(ended).toMatchObject({ code: 8, stdout: "", errors: [expect.any(String)] });
  expect(ended.stderr).toContain(`tap-knowbe4: ${path}: ${what}`);
  expect(a.simulator.requestCount).toBe(0);
});

test("{} is the state of a first run", async () => {
  const a = await account();

  const ended = await tap(a, ["--catalog", catalog(a, ["policies"]), "-s", file(a, "s.json", {})]);

  expect(ended.code).toBe(0);
  expect(recordsOf(messagesIn(ended.stdout), "policies")).toHaveLength(4);
});

test("bookmarks of streams that a run does not read are handed on", async () => {
  const a = await account();
  const before: StateValue = {
    version: 1,
    bookmarks: { users: { completedAt: "2025-01-01T00:00:00.000Z" } },
  };

  const ended = await tap(a, [
    ...["--state", file(a, "s.json", before)],
    ...["--catalog", catalog(a, ["policies"])],
  ]);

  const { bookmarks } = lastState(messagesIn(ended.stdout));
  expect(bookmarks["users"]).toEqual(before.bookmarks["users"]);
  expect(bookmarks["policies"]?.["completedAt"]).toMatch(/^20/);
});
