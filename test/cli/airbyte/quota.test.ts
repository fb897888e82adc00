import { expect, test } from "vitest";

import {
  errorsOf,
  kept,
  logged,
  recordsOf,
  statesOf,
  statusesOf,
  type Message,
} from "../../protocols/airbyte/protocol.js";
import { fakeClock } from "../../support/clock.js";
import { account } from "../support/account.js";
import { INCREMENTAL, read, rowsOf, truthOf, type Reading } from "./support.js";

/** Reads that get no more requests through: what is said, and how they go on. */

const SMALL = { users: 8, tests: 4 };

/** So many requests a day by the clock that is given, and no other limit. */
const limited = (perDay: number, more: object = {}): Partial<Reading> => ({
  settings: { rate_limit: { per_second: 0, per_minute: 0, per_day: perDay }, ...more },
});

test("a spent quota ends the run with what was read, and the next one goes on from there", async () => {
  const a = await account({ ...SMALL, tests: 8 });
  const streams = INCREMENTAL.filter((name) => !name.startsWith("user_"));

  const first = await read(a, { streams, ...limited(8) });
  const second = await read(a, { streams, state: kept(first.messages) });

  expect([first.code, second.code]).toEqual([5, 0]);
  const [error] = errorsOf(first.messages);
  expect(error).toMatchObject({
    failure_type: "transient_error",
    message: expect.stringMatching(/daily quota: 8 requests made .* possible at 20/) as string,
  });
  for (const stream of streams) {
    expect(["COMPLETE", "INCOMPLETE"]).toContain(statusesOf(first.messages, stream).at(-1));
    const states = statesOf(first.messages, stream);
    const counted = states.reduce((sum, s) => sum + s.sourceStats.recordCount, 0);
    expect(counted, stream).toBeLessThanOrEqual(recordsOf(first.messages, stream).length);
    expect(statusesOf(second.messages, stream).at(-1)).toBe("COMPLETE");
    const rows = [first, second].flatMap((r) => rowsOf(r.messages, stream));
    expect(new Set(rows), stream).toEqual(new Set(truthOf(a, stream)));
  }
});

/** What was said of a wait: until when, and when it was said. */
const waits = (messages: readonly Message[]) =>
  messages.flatMap(({ trace }) => {
    const { reasons } = trace?.stream_status ?? {};
    return reasons === undefined
      ? []
      : [
          {
            at: trace.emitted_at as number,
            until: reasons[0].rate_limited.quota_reset as number,
          },
        ];
  });

test("a quota that is waited for says RATE_LIMITED and until when, then RUNNING, and all is read", async () => {
  const a = await account({ ...SMALL, tests: 6 });
  const clock = fakeClock();
  const streams = ["security_test_recipients", "policies"];

  const { code, messages } = await read(a, {
    streams,
    clock,
    ...limited(5, { on_quota_exhausted: "wait" }),
  });

  expect(code).toBe(0);
  for (const stream of streams) {
    expect(rowsOf(messages, stream)).toEqual(truthOf(a, stream));
    expect(statusesOf(messages, stream).at(-1)).toBe("COMPLETE");
  }
  expect(waits(messages).length).toBeGreaterThan(0);
  for (const { at, until } of waits(messages)) {
    expect(until - at).toBeGreaterThan(86_000_000);
    expect(until - at).toBeLessThanOrEqual(86_400_001);
  }
  const said = streams.flatMap((stream) => statusesOf(messages, stream)).join(" ");
  expect(said).toContain("RUNNING! RUNNING");
  expect(logged(messages, "INFO").join("\n")).toMatch(/waiting \d+ s: 5 requests a day/);
});

test("a pause that the server asks for, with a time to come back, is waited for as long as it says", async () => {
  const a = await account(SMALL);
  a.simulator.addFault({
    match: { stream: "policies" },
    fault: { kind: "status", status: 429, headers: { "retry-after": "90" } },
  });
  const clock = fakeClock();

  const { code, messages } = await read(a, { streams: ["policies"], clock });

  expect(code).toBe(0);
  expect(statusesOf(messages, "policies")).toEqual([
    ...["STARTED", "RUNNING!", "RUNNING", "COMPLETE"],
  ]);
  const [wait] = waits(messages);
  expect(Math.abs(wait!.until - wait!.at - 90_000)).toBeLessThanOrEqual(1_000);
});
