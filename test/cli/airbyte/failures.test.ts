import { expect, test } from "vitest";

import {
  errorsOf,
  kept,
  recordsOf,
  statesOf,
  statusesOf,
} from "../../protocols/airbyte/protocol.js";
import { account, DEFAULTS, KEY } from "../support/account.js";
import { read, rowsOf, truthOf } from "./support.js";

/** Reads in which something fails: the others go on, and a platform learns what and why. */

const SMALL = { users: 8, tests: 4 };

/** Where the first attempt is the last. */
const ONCE = { retry: { max_attempts: 1, max_seconds: 1 } };

const answering = (stream: (typeof DEFAULTS)[number], status: number) => ({
  match: { stream },
  times: Infinity,
  fault: { kind: "status", status } as const,
});

test.each([
  [503, "transient_error", 4],
  [403, "config_error", 3],
  [404, "system_error", 6],
] as const)(
  "a stream that is answered %d is incomplete with %s; the others are read",
  async (status, type, exit) => {
    const a = await account(SMALL);
    a.simulator.addFault(answering("policies", status));

    const { code, messages, stderr } = await read(a, { streams: DEFAULTS, settings: ONCE });

    expect([code, stderr]).toEqual([exit, ""]);
    expect(errorsOf(messages)).toEqual([
      {
        message: expect.stringMatching(/^policies: GET \/v1\/training\/policies /) as string,
        internal_message: expect.stringContaining(String(status)) as string,
        failure_type: type,
        stream_descriptor: { name: "policies" },
      },
    ]);
    expect(statusesOf(messages, "policies")).toEqual(["STARTED", "INCOMPLETE"]);
    expect(statesOf(messages, "policies")).toEqual([]);
    for (const stream of DEFAULTS.filter((name) => name !== "policies")) {
      expect(statusesOf(messages, stream), stream).toEqual(["STARTED", "RUNNING", "COMPLETE"]);
      expect(rowsOf(messages, stream), stream).toEqual(truthOf(a, stream));
    }
  },
);

test("a stream that fails in its middle keeps the state of the run before, and goes on from it", async () => {
  const a = await account({ ...SMALL, users: 5, tests: 8 });
  const stream = "security_test_recipients";
  a.simulator.addFault({ ...answering(stream, 503), match: { stream, nth: 4 } });
  const settings = { ...ONCE, concurrency: 1 };
  const first = await read(a, { streams: [stream, "policies"], settings });
  a.simulator.clearFaults();
  const before = a.simulator.requestCount;

  const second = await read(a, {
    streams: [stream, "policies"],
    state: kept(first.messages),
    settings,
  });

  expect([first.code, second.code]).toEqual([4, 0]);
  expect(statusesOf(first.messages, stream)).toEqual(["STARTED", "RUNNING", "INCOMPLETE"]);
  expect(statusesOf(first.messages, "policies").at(-1)).toBe("COMPLETE");
  const [state] = statesOf(first.messages, stream);
  expect(state?.stream.stream_state["bookmark"].completedAt).toBeNull();
  expect(state?.sourceStats.recordCount).toBe(recordsOf(first.messages, stream).length);
  const rows = [first, second].flatMap(({ messages }) => rowsOf(messages, stream)).toSorted();
  expect(rows).toEqual(truthOf(a, stream));
  const again = a.simulator.requests.slice(before).filter((r) => r.stream === stream);
  expect(again).toHaveLength(5);
});

test("a stream that fails in its only listing moves no state", async () => {
  const a = await account({ ...SMALL, users: 30 });
  const streams = ["enrollments", "risk_score_history"];
  const settings = { ...ONCE, page_size: 10 };
  const first = await read(a, { streams, settings });
  a.simulator.addFault({
    ...answering("enrollments", 503),
    match: { stream: "enrollments", nth: 3 },
  });

  const { messages } = await read(a, { streams, settings });

  expect(recordsOf(messages, "enrollments").length).toBeGreaterThan(0);
  expect(statesOf(messages, "enrollments")).toEqual([]);
  expect(statusesOf(messages, "enrollments").at(-1)).toBe("INCOMPLETE");
  expect(statesOf(first.messages, "enrollments")).not.toEqual([]);
});

test("what needs the rows of a stream that failed is incomplete too, and says so", async () => {
  const a = await account(SMALL);
  a.simulator.addFault(answering("groups", 503));

  const { code, messages } = await read(a, {
    streams: ["group_members", "policies"],
    settings: ONCE,
  });

  expect(code).toBe(4);
  expect(statusesOf(messages, "group_members")).toEqual(["STARTED", "INCOMPLETE"]);
  expect(errorsOf(messages)).toContainEqual(
    expect.objectContaining({
      message: "group_members: not read, because groups failed",
      failure_type: "transient_error",
      stream_descriptor: { name: "group_members" },
    }),
  );
  expect(statusesOf(messages, "policies").at(-1)).toBe("COMPLETE");
});

test("rows that do not fit fail their stream with its name and field, and no value", async () => {
  const a = await account(SMALL);
  a.simulator.addFault({
    match: { stream: "users" },
    times: Infinity,
    fault: { kind: "field", field: "id", value: { json: "canary-id" } },
  });

  const { code, messages, text } = await read(a, { streams: ["users", "policies"] });

  expect(code).toBe(6);
  expect(errorsOf(messages)).toMatchObject([
    {
      failure_type: "system_error",
      stream_descriptor: { name: "users" },
      message: expect.stringMatching(/^users: .*id.*1 rejected/) as string,
    },
  ]);
  expect(text).not.toContain("canary-id");
  expect(statusesOf(messages, "policies").at(-1)).toBe("COMPLETE");
});

test("airbyte_trace_message_on_failure: an unknown stream is told, the others are read", async () => {
  const a = await account(SMALL);

  const { code, messages } = await read(a, { streams: ["users", "polcies"] });

  expect(code).toBe(2);
  expect(errorsOf(messages)).toEqual([
    {
      message: 'unknown stream "polcies" (did you mean "policies"?)',
      internal_message: "config {}",
      failure_type: "config_error",
      stream_descriptor: { name: "polcies" },
    },
  ]);
  expect(statusesOf(messages, "polcies")).toEqual(["INCOMPLETE"]);
  expect(rowsOf(messages, "users")).toEqual(truthOf(a, "users"));
  expect(statusesOf(messages, "users")).toEqual(["STARTED", "RUNNING", "COMPLETE"]);
});

test("airbyte_trace_message_on_failure: a catalog of unknown streams only is no success", async () => {
  const a = await account(SMALL);

  const { code, messages } = await read(a, { streams: ["one", "two"] });

  expect(code).toBe(2);
  expect(errorsOf(messages).map((e) => e.stream_descriptor.name as string)).toEqual(["one", "two"]);
  expect(a.simulator.requestCount).toBe(0);
});

test("a refused key ends the run: every stream is incomplete, for a fault of the configuration", async () => {
  const a = await account(SMALL);
  const streams = ["users", "policies"];

  const { code, messages } = await read(a, { streams, settings: { api_key: `${KEY}-old` } });

  expect(code).toBe(3);
  for (const stream of streams) {
    expect(statusesOf(messages, stream)).toEqual(["STARTED", "INCOMPLETE"]);
  }
  for (const error of errorsOf(messages)) expect(error.failure_type).toBe("config_error");
  expect(a.simulator.requestCount).toBe(1);
});
