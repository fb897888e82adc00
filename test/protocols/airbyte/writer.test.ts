import { expect, test } from "vitest";

import { ConnectorError } from "../../../src/core/errors.js";
import type { StreamOutcome } from "../../../src/core/events.js";
import type { Row } from "../../../src/core/record.js";
import { SOURCE_KEY, type State } from "../../../src/core/state.js";
import { AirbyteWriter } from "../../../src/protocols/airbyte/writer.js";
import { describeSink } from "../../conformance/sink.js";
import { fakeClock, FAKE_START } from "../../support/clock.js";
import { parseExactly } from "../../../src/protocols/singer/exact.js";
import {
  batch,
  checkpoint,
  declared,
  ended,
  memoryOut,
  runInfo,
  running,
} from "../singer/support.js";
import { checked, errorsOf, logged, recordsOf, statesOf, statusesOf } from "./protocol.js";

/** The lines of the Airbyte writer, when they come, and what they confirm. */

describeSink("the Airbyte writer", async ({ pace }) => {
  const out = memoryOut(pace === "slow" ? { slow: true } : {});
  return {
    take: () => out.take(),
    sink: () => new AirbyteWriter(out, fakeClock(), new Map()),
    durable: async (stream) =>
      out.text
        .split("\n")
        .filter((line) => line.startsWith('{"type":"RECORD"'))
        .map((line) => (parseExactly(line) as { record: { stream: string; data: Row } }).record)
        .filter((record) => record.stream === stream)
        .map((record) => record.data),
  };
});

async function opened(
  more: {
    readonly state?: State;
    readonly numbers?: ReadonlyMap<string, number>;
    readonly out?: ReturnType<typeof memoryOut>;
  } = {},
) {
  const { state, numbers = new Map<string, number>(), out = memoryOut() } = more;
  const clock = fakeClock();
  const writer = new AirbyteWriter(out, clock, numbers);
  await writer.open(runInfo(state), running());
  for (const stream of ["users", "groups"]) await writer.declare(declared(stream));
  return { writer, clock, out, said: () => checked(out.text) };
}

const failed = (stream: string, error = new ConnectorError("unavailable", `${stream}: gone`)) =>
  ({ stream, status: "failed", rows: 0, rejected: 0, error }) satisfies StreamOutcome;

/** Types of messages in order; a status and what it says, a trace and what it is. */
const kinds = (out: { readonly text: string }) =>
  checked(out.text).map(({ type, trace }) => {
    return trace === undefined ? type : ((trace.stream_status?.status ?? trace.type) as string);
  });

test("a record is spliced round its row, and says in whole milliseconds when it came", async () => {
  const { writer, out } = await opened();

  await writer.write(batch("groups", [{ id: 1, name: "A" }]));

  expect(out.text.split("\n").at(-2)).toBe(
    '{"type":"RECORD","record":{"stream":"groups","data":{"id":1,"name":"A",' +
      `"_observed_at":"2026-06-01T00:00:00.000Z"},"emitted_at":${String(FAKE_START + 1_000)}}}`,
  );
});

test("a stream is started, running, told in records and states, and then complete", async () => {
  const { writer, out } = await opened();

  writer.event({ type: "stream_started", stream: "users" });
  await writer.write(batch("users", [{ id: 1 }, { id: 2 }]));
  await writer.write(batch("users", [{ id: 3 }], { checkpoint: checkpoint("users") }));
  await writer.end(ended("users"));

  expect(kinds(out)).toEqual([
    ...["STARTED", "RUNNING", "RECORD", "RECORD", "RECORD", "STATE", "COMPLETE"],
  ]);
});

test("a stream without a row is running too before it is complete", async () => {
  const { writer, out } = await opened();

  writer.event({ type: "stream_started", stream: "users" });
  await writer.write(batch("users", [], { checkpoint: checkpoint("users") }));
  await writer.end(ended("users"));

  expect(kinds(out)).toEqual(["STARTED", "RUNNING", "STATE", "COMPLETE"]);
});

test("a stream that ends while it waits is running again before it is complete", async () => {
  const { writer, said } = await opened();

  writer.event({ type: "stream_started", stream: "users" });
  await writer.write(batch("users", [{ id: 1 }], { checkpoint: checkpoint("users") }));
  writer.event({ type: "waiting", reason: "50 requests a minute", waitMs: 9_000 });
  await writer.end(ended("users"));

  expect(statusesOf(said(), "users").slice(-2)).toEqual(["RUNNING", "COMPLETE"]);
});

test("a stream with rejected rows is complete, and its state counts them", async () => {
  const { writer, said } = await opened();
  const rejects = [{ row: {}, reason: "users: id is missing" }] as never;

  await writer.write(batch("users", [{ id: 1 }], { rejects, checkpoint: checkpoint("users") }));
  await writer.end({ ...ended("users"), status: "partial", rows: 1, rejected: 1 });

  expect(statesOf(said(), "users")[0]?.sourceStats).toEqual({
    recordCount: 1,
    rejectedRecordCount: 1,
  });
  expect(statusesOf(said(), "users").at(-1)).toBe("COMPLETE");
});

test("a failing stream says why, then that it is incomplete; its state stays where it was", async () => {
  const { writer, out, said } = await opened();

  writer.event({ type: "stream_started", stream: "users" });
  await writer.write(batch("users", [{ id: 1 }]));
  await writer.end(failed("users"));

  expect(kinds(out)).toEqual(["STARTED", "RUNNING", "RECORD", "ERROR", "INCOMPLETE"]);
  expect(errorsOf(said())).toMatchObject([
    { failure_type: "transient_error", stream_descriptor: { name: "users" } },
  ]);
  expect(statesOf(said(), "users")).toEqual([]);
});

test("a stream whose turn never came is started, and incomplete", async () => {
  const { writer, said } = await opened();

  await writer.end({ ...failed("users"), status: "skipped" });

  expect(statusesOf(said(), "users")).toEqual(["STARTED", "INCOMPLETE"]);
});

test("a state counts the records since the one before, with a decimal point", async () => {
  const { writer, out, said } = await opened();

  await writer.write(batch("users", [{ id: 1 }, { id: 2 }]));
  await writer.write(batch("users", [{ id: 3 }], { checkpoint: checkpoint("users", 1) }));
  await writer.write(batch("users", [{ id: 4 }], { checkpoint: checkpoint("users", 2) }));
  await writer.flush();

  expect(statesOf(said(), "users").map((s) => s.sourceStats.recordCount)).toEqual([3, 1]);
  expect(out.text).toContain('"sourceStats":{"recordCount":3.0,"rejectedRecordCount":0.0}');
});

test("states of equal bookmarks differ, also from those of the run before", async () => {
  const { writer, said } = await opened({ numbers: new Map([["users", 41]]) });

  for (let i = 0; i < 3; i += 1) {
    await writer.write(batch("users", [{ id: 1 }], { checkpoint: checkpoint("users") }));
  }
  await writer.write(batch("groups", [], { checkpoint: checkpoint("groups") }));
  await writer.flush();

  const numbers = (stream: string) =>
    statesOf(said(), stream).map((s) => s.stream.stream_state["number"] as number);
  expect(numbers("users")).toEqual([42, 43, 44]);
  expect(numbers("groups")).toEqual([1]);
});

const memory = { stream: SOURCE_KEY, bookmark: { completedAt: null, paging: "cursor" } } as const;

test("what the API client remembered before goes along with every stream's state", async () => {
  const state: State = { version: 1, bookmarks: { [SOURCE_KEY]: memory.bookmark } };
  const { writer, said } = await opened({ state });

  await writer.write(batch("users", [], { checkpoint: checkpoint("users") }));
  await writer.end(ended("users"));

  expect(statesOf(said(), "users").map((s) => s.stream.stream_state)).toEqual([
    { version: 1, number: 1, bookmark: checkpoint("users").bookmark, source: memory.bookmark },
  ]);
});

test("what the API client learns while a stream is read goes along with that stream's last state", async () => {
  const { writer, said } = await opened();

  await writer.write(batch("users", [{ id: 1 }], { checkpoint: checkpoint("users") }));
  const told = [
    ...(await writer.write(batch(SOURCE_KEY, [], { checkpoint: memory }))),
    ...(await writer.end(ended("users"))),
  ];

  expect(told).toContainEqual(memory);
  const last = statesOf(said(), "users").at(-1);
  expect(last?.stream.stream_state).toMatchObject({
    number: 2,
    bookmark: checkpoint("users").bookmark,
    source: memory.bookmark,
  });
  expect(statusesOf(said(), "users").at(-1)).toBe("COMPLETE");
  expect(said().at(-1)?.type).toBe("TRACE");
});

test("a failing stream gets no state for what the API client learned", async () => {
  const { writer, said } = await opened();

  await writer.write(batch("users", [{ id: 1 }]));
  await writer.write(batch(SOURCE_KEY, [], { checkpoint: memory }));
  await writer.end(failed("users"));

  expect(statesOf(said(), "users")).toEqual([]);
});

test("a wait says until when, and that it is over as soon as there are rows again", async () => {
  const { writer, clock, said } = await opened();

  writer.event({ type: "stream_started", stream: "users" });
  await writer.write(batch("users", [{ id: 1 }]));
  writer.event({ type: "waiting", reason: "2000 requests a day", waitMs: 3_600_000.4 });
  clock.advance(3_600_001);
  await writer.write(batch("users", [{ id: 2 }], { checkpoint: checkpoint("users") }));
  await writer.end(ended("users"));

  expect(statusesOf(said(), "users")).toEqual([
    ...["STARTED", "RUNNING", "RUNNING!", "RUNNING", "COMPLETE"],
  ]);
  const [, , waiting] = said().flatMap(({ trace }) => trace?.stream_status ?? []);
  expect(waiting.reasons).toEqual([
    { type: "RATE_LIMITED", rate_limited: { quota_reset: FAKE_START + 3_600_000 } },
  ]);
  expect(logged(said(), "INFO")).toEqual(["waiting 3601 s: 2000 requests a day"]);
});

test("a stream that waits before its first row is running after it", async () => {
  const { writer, said } = await opened();

  writer.event({ type: "stream_started", stream: "users" });
  writer.event({ type: "waiting", reason: "50 requests a minute", waitMs: 9_000 });
  await writer.write(batch("users", [], { checkpoint: checkpoint("users") }));
  await writer.end(ended("users"));

  expect(statusesOf(said(), "users")).toEqual(["STARTED", "RUNNING!", "RUNNING", "COMPLETE"]);
});

test("a wait before any stream is told to people only", async () => {
  const { writer, said } = await opened();

  writer.event({ type: "waiting", reason: "KnowBe4 asks for a pause", waitMs: 9_000 });
  await writer.flush();

  expect(said().map((m) => m.type)).toEqual(["LOG"]);
});

test("an estimate comes before the first record, of streams that are handed on only", async () => {
  const { writer, out } = await opened();

  writer.event({ type: "stream_started", stream: "policies" });
  writer.event({ type: "estimate", stream: "policies", rows: 9 });
  writer.event({ type: "stream_started", stream: "users" });
  writer.event({ type: "estimate", stream: "users", rows: 12 });
  await writer.write(batch("users", [{ id: 1 }]));

  expect(kinds(out)).toEqual(["STARTED", "ESTIMATE", "RUNNING", "RECORD"]);
  expect(out.text).toContain('"estimate":{"name":"users","type":"STREAM","row_estimate":12}');
});

test("warnings are told with their stream's name, if they have one", async () => {
  const { writer, said } = await opened();

  writer.event({ type: "warning", stream: "users", message: "field is new" });
  writer.event({ type: "warning", stream: null, message: "the day is short" });
  await writer.flush();

  expect(logged(said(), "WARN")).toEqual(["users: field is new", "the day is short"]);
});

test("what concerns people waits, while the reader lags behind, for the next records", async () => {
  const out = memoryOut({ slow: true });
  const { writer } = await opened({ out });
  const rows = Array.from({ length: 2_000 }, (_, id) => ({ id, name: "x".repeat(100) }));
  const writing = writer.write(batch("users", rows));

  for (let i = 0; i < 50; i += 1) writer.log("INFO", `line ${String(i)}`);
  const held = out.waiting;
  out.takeAll();
  await writing;
  await writer.flush();

  expect(held).toBeLessThan(200_000);
  expect(logged(checked(out.text), "INFO")).toHaveLength(50);
  expect(recordsOf(checked(out.text), "users")).toHaveLength(2_000);
});
