import { expect, test } from "vitest";

import {
  errorsOf,
  kept,
  logged,
  recordsOf,
  statesOf,
  statusesOf,
  validator,
} from "../../protocols/airbyte/protocol.js";
import { account, ALL, DEFAULTS, keyOf, lines, truth, type Row } from "../support/account.js";
import { CATALOG, configured, file, read, rowsOf, source, truthOf } from "./support.js";

/** A complete read, by the rules of Airbyte's acceptance tests for basic and full-refresh reads. */

/** One read of every stream of a small account, and what is true of it; made by who asks first. */
let made: ReturnType<typeof makeWhole> | undefined;
const whole = () => (made ??= makeWhole());

async function makeWhole() {
  const a = await account({ users: 8, tests: 4 });
  const answer = await read(a, { streams: ALL });
  const rows = new Map(ALL.map((stream) => [stream, truthOf(a, stream)]));
  return { ...answer, rows };
}

test("BasicRead: every stream gives exactly the rows of the account", async () => {
  const { code, messages, stderr, rows } = await whole();

  expect([code, stderr]).toEqual([0, ""]);
  for (const stream of ALL) expect(rowsOf(messages, stream), stream).toEqual(rows.get(stream));
});

test("BasicRead: every record is valid by its schema, and has its columns and no others", async () => {
  const { messages } = await whole();

  for (const { name, json_schema: schema } of CATALOG) {
    const validate = validator(schema);
    const columns = Object.keys(schema.properties).join();
    const records = recordsOf(messages, name).map(({ data }) => data);
    expect(records.length, name).toBeGreaterThan(0);
    expect(records.filter((data) => !validate(data))).toEqual([]);
    expect(records.filter((data) => Object.keys(data).join() !== columns)).toEqual([]);
  }
});

test("BasicRead: no part of a key is null, and no key comes twice", async () => {
  const { messages } = await whole();

  for (const stream of ALL) {
    const keys = recordsOf(messages, stream).map(({ data }) => keyOf(stream)(data));
    expect(keys.filter((key) => key.includes("null"))).toEqual([]);
    expect(new Set(keys).size, stream).toBe(keys.length);
  }
});

test("BasicRead: statuses are STARTED, RUNNING and COMPLETE, round all of a stream's messages", async () => {
  const { messages } = await whole();

  for (const stream of ALL) {
    expect(statusesOf(messages, stream), stream).toEqual(["STARTED", "RUNNING", "COMPLETE"]);
    const own = messages.flatMap(({ record, state, trace }) => {
      const { stream_descriptor: of, status } = trace?.stream_status ?? {};
      if (of?.name === stream) return [status as string];
      if (record?.stream === stream) return ["record"];
      if (state?.stream.stream_descriptor.name === stream) return ["state"];
      return trace?.estimate?.name === stream ? ["estimate"] : [];
    });
    const order = /^STARTED (estimate )?RUNNING ((record |state )*state )COMPLETE$/;
    expect(own.join(" "), stream).toMatch(order);
  }
  expect(errorsOf(messages)).toEqual([]);
});

test("BasicRead: every stream has a state, also an empty one, and counts add up to its records", async () => {
  const a = await account({ users: 5, tests: 0, trainingCampaigns: 0 });

  const { code, messages } = await read(a, { streams: ALL });

  expect(code).toBe(0);
  const empty = ALL.filter((stream) => recordsOf(messages, stream).length === 0);
  expect(empty).toEqual(expect.arrayContaining(["security_tests", "enrollments", "campaigns"]));
  for (const stream of ALL) {
    const states = statesOf(messages, stream);
    expect(states.length, stream).toBeGreaterThan(0);
    expect(
      states.reduce((sum, s) => sum + s.sourceStats.recordCount, 0),
      stream,
    ).toBe(recordsOf(messages, stream).length);
    expect(statusesOf(messages, stream), stream).toEqual(["STARTED", "RUNNING", "COMPLETE"]);
  }
});

test("BasicRead: each state counts the records since the one before it", async () => {
  const a = await account({ tests: 120, users: 20 });

  const { messages } = await read(a, { streams: ["security_test_recipients"] });

  let records = 0;
  let states = 0;
  for (const { record, state } of messages) {
    if (record !== undefined) records += 1;
    if (state === undefined) continue;
    expect(state.sourceStats.recordCount).toBe(records);
    records = 0;
    states += 1;
  }
  expect(states).toBeGreaterThan(2);
  expect(records).toBe(0);
});

test("BasicRead: a column that was not selected comes in no record; keys and cursors stay", async () => {
  const a = await account();
  const columns = {
    users: ["email"],
    risk_score_history: ["risk_score"],
    security_test_recipients: ["clicked_at"],
  };

  const { code, messages } = await read(a, {
    streams: Object.entries(columns).map(([name, c]) => ({ name, columns: c })),
  });

  expect(code).toBe(0);
  const seen = (stream: string) => [
    ...new Set(recordsOf(messages, stream).map((r) => Object.keys(r.data).toSorted().join())),
  ];
  expect(seen("users")).toEqual(["_observed_at,email,id"]);
  expect(seen("risk_score_history")).toEqual(["_observed_at,date,risk_score"]);
  expect(seen("security_test_recipients")).toEqual(["_observed_at,clicked_at,pst_id,recipient_id"]);
});

test("BasicRead: a record says when it came: within the run, in whole milliseconds", async () => {
  const a = await account();
  const before = Date.now();

  const { messages } = await read(a, { streams: ["users", "group_members", "account"] });

  const times = messages.flatMap(({ record }) => record?.emitted_at ?? []);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(before);
  expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
});

test("FullRefresh: sequential_reads give the same rows, each later than all of the first", async () => {
  const a = await account();
  const streams = DEFAULTS.map((name) => ({ name, mode: "full_refresh" }));

  const first = await read(a, { streams });
  const second = await read(a, { streams, state: kept(first.messages) });

  expect([first.code, second.code]).toEqual([0, 0]);
  for (const stream of DEFAULTS) {
    const [one, two] = [first, second].map(({ messages }) => recordsOf(messages, stream));
    const keys = new Set(two!.map(({ data }) => keyOf(stream)(data)));
    for (const { data } of one!) expect(keys, stream).toContain(keyOf(stream)(data));
    const last = Math.max(...one!.map((r) => r.emitted_at));
    expect(Math.min(...two!.map((r) => r.emitted_at)), stream).toBeGreaterThan(last);
  }
});

test("a run reads the streams that were asked for, and hands on no others", async () => {
  const a = await account();

  const { messages } = await read(a, { streams: ["security_test_recipients", "account"] });

  const named = messages.flatMap(({ record, trace }) => [
    record?.stream ?? trace?.stream_status?.stream_descriptor.name,
  ]);
  expect(new Set(named.filter((name) => name !== undefined))).toEqual(
    new Set(["security_test_recipients", "account"]),
  );
  expect(
    kept(messages)
      .map((s) => s.stream.stream_descriptor.name)
      .toSorted(),
  ).toEqual(["account", "security_test_recipients"]);
});

test("incremental for streams that are read whole works, with one warning for all of them", async () => {
  const a = await account();
  const streams = DEFAULTS.map((name) => ({ name, mode: "incremental" }));

  const { code, messages } = await read(a, { streams });

  expect(code).toBe(0);
  expect(logged(messages, "WARN")).toEqual([
    expect.stringMatching(
      /^read whole, as they cannot be read incrementally: users, groups, /,
    ) as string,
  ]);
  for (const stream of DEFAULTS) {
    expect(rowsOf(messages, stream), stream).toEqual(truthOf(a, stream));
  }
});

test("where counts are known an estimate comes before the first record, and is right", async () => {
  const a = await account();

  const first = await read(a, { streams: ["group_members", "enrollments"] });
  const second = await read(a, {
    streams: ["group_members", "enrollments"],
    state: kept(first.messages),
  });

  const estimate = ({ messages }: typeof first, stream: string) => {
    const at = messages.findIndex(({ trace }) => trace?.estimate?.name === stream);
    const before = messages.slice(0, Math.max(0, at)).some((m) => m.record?.stream === stream);
    expect(before).toBe(false);
    return messages[at]?.trace.estimate.row_estimate as number | undefined;
  };
  const count = ({ messages }: typeof first, stream: string) => recordsOf(messages, stream).length;
  expect(estimate(first, "group_members")).toBe(count(first, "group_members"));
  expect(estimate(first, "enrollments")).toBeUndefined();
  expect(estimate(second, "enrollments")).toBe(count(second, "enrollments"));
});

test("long integers, line ends and every plane come as they are", async () => {
  const a = await account({ users: 3 });
  const name = "Ada \u2028👩‍💻\u0000\u202e";
  a.simulator.addFault({
    match: { stream: "users" },
    times: Infinity,
    fault: { kind: "field", field: "first_name", value: { json: name } },
  });
  a.simulator.addFault({
    match: { stream: "users" },
    times: Infinity,
    fault: { kind: "field", field: "new_field", value: { raw: "9007199254740993" } },
  });

  const { messages, text } = await read(a, { streams: ["users"] });

  expect(recordsOf(messages, "users").some((r) => r.data["first_name"] === name)).toBe(true);
  expect(text).toContain('"_extra":{"new_field":9007199254740993}');
  expect(logged(messages, "WARN")).toEqual([
    'users: field "new_field" is not declared, or not a date: kept in _extra',
  ]);
});

test("a row that does not fit is left out and counted, if so many may be", async () => {
  const a = await account();
  a.simulator.addFault({
    match: { stream: "policies" },
    times: Infinity,
    fault: { kind: "field", field: "policy_id", value: { json: null } },
  });

  const { code, messages } = await read(a, {
    streams: ["policies"],
    settings: { max_rejects: 1 },
  });

  expect(code).toBe(0);
  const [state] = statesOf(messages, "policies");
  expect(state?.sourceStats).toEqual({ recordCount: 3, rejectedRecordCount: 1 });
  const rows: readonly Row[] = truth(a, "policies").slice(1);
  expect(rowsOf(messages, "policies")).toEqual(lines(rows));
});

test("files of any suffix, after a byte order mark, with nulls, by either form of a flag", async () => {
  const a = await account();
  const bom = (value: unknown) => `\uFEFF${JSON.stringify(value)}`;
  const { streams } = configured(["users", "enrollments"]);
  const nulls = { cursor_field: null, primary_key: null, sync_id: null, generation_id: null };
  const catalog = file(
    a,
    "catalog.txt",
    bom({ streams: streams.map((s) => ({ ...s, ...nulls })) }),
  );
  const state = file(a, "state.txt", bom([]));

  const { code, messages } = await source([
    ...["read", "--config", a.config(), `--catalog=${catalog}`, `--state=${state}`],
  ]);

  expect(code).toBe(0);
  expect(rowsOf(messages, "enrollments")).toEqual(truthOf(a, "enrollments"));
});
