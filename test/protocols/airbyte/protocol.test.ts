import { describe, expect, test } from "vitest";

import { faultOf } from "./protocol.js";

/** What checks every line must itself tell good ones from bad ones. */

const status = (more: object = {}) => ({
  type: "TRACE",
  trace: {
    type: "STREAM_STATUS",
    emitted_at: 1.5,
    stream_status: { stream_descriptor: { name: "users" }, status: "RUNNING", ...more },
  },
});
const record = (more: object = {}) => ({
  type: "RECORD",
  record: { stream: "users", data: { id: 1 }, emitted_at: 1, ...more },
});
const state = (count: string) =>
  '{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"users"},' +
  `"stream_state":{}},"sourceStats":{"recordCount":${count},"rejectedRecordCount":0.0}}}`;

test.each([
  ["a record", JSON.stringify(record())],
  ["a state", state("120.0")],
  ["a status", JSON.stringify(status())],
  [
    "a status with a reason",
    JSON.stringify(
      status({ reasons: [{ type: "RATE_LIMITED", rate_limited: { quota_reset: 1 } }] }),
    ),
  ],
  ["a line for people", '{"type":"LOG","log":{"level":"WARN","message":"slow"}}'],
])("%s is sound", (_, line) => {
  expect(faultOf(line)).toBeUndefined();
});

describe("is a fault:", () => {
  test.each<readonly [string, string]>([
    ["text", "reading users"],
    ["a cut line", '{"type":"LOG"'],
    ["two messages on a line", `${JSON.stringify(status())}${JSON.stringify(status())}`],
    ["a message without a body", '{"type":"RECORD"}'],
    ["a body of another type", JSON.stringify({ ...record(), type: "STATE" })],
    ["two bodies", JSON.stringify({ ...record(), log: { level: "INFO", message: "a" } })],
    ["a type that there is not", '{"type":"PROGRESS","progress":{}}'],
    ["a level that there is not", '{"type":"LOG","log":{"level":"WARNING","message":"slow"}}'],
    ["null for a key that may be missing", JSON.stringify(record({ namespace: null }))],
    ["half a millisecond", JSON.stringify(record({ emitted_at: 1.5 }))],
    ["a count without a decimal point", state("120")],
    ["a legacy state", '{"type":"STATE","state":{"type":"LEGACY","data":{}}}'],
    ["reasons that are null", JSON.stringify(status({ reasons: null }))],
    ["a status that there is not", JSON.stringify(status({ status: "RATE_LIMITED" }))],
    [
      "a quota that is reset in camel case",
      JSON.stringify(
        status({ reasons: [{ type: "RATE_LIMITED", rate_limited: { quotaReset: 1 } }] }),
      ),
    ],
  ])("%s", (_, line) => {
    expect(faultOf(line)).toEqual(expect.any(String));
  });
});
