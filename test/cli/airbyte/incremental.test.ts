import { describe, expect, test } from "vitest";

import {
  errorsOf,
  kept,
  logged,
  recordsOf,
  statesOf,
  statusesOf,
  type Message,
  type StateMessage,
} from "../../protocols/airbyte/protocol.js";
import { account, DEFAULTS, keyOf, lines, type Row } from "../support/account.js";
import { file, INCREMENTAL, read, readArgs, rowsOf, source, truthOf } from "./support.js";

/** Reading on from a state, by the rules of Airbyte's acceptance tests for incremental reads. */

const SMALL = { users: 6, tests: 4 };

/** States as a platform with its own models passes them: every key that there may be is null. */
function withNulls(states: readonly StateMessage[]): readonly object[] {
  return states.map(({ stream: { stream_descriptor: of, stream_state }, ...state }) => ({
    ...state,
    stream: { stream_descriptor: { ...of, namespace: null }, stream_state },
    data: null,
    global: null,
    destinationStats: null,
  }));
}

/** Rows that a destination holds which merges by key. */
function held(stream: string, ...runs: readonly (readonly Message[])[]): readonly string[] {
  const rows: Row[] = runs.flatMap((run) => recordsOf(run, stream).map(({ data }) => data));
  return lines([...new Map(rows.map((row) => [keyOf(stream)(row), row])).values()]);
}

test("two_sequential_reads: the second read differs, and nothing is missing after it", async () => {
  const a = await account({ users: 10, tests: 4, trainingCampaigns: 12 });
  // Pages so small that it takes fewer requests to ask for what is open than for everything.
  const settings = { page_size: 10, lookback_days: 1 };
  const first = await read(a, { streams: INCREMENTAL, settings });

  const state = withNulls(kept(first.messages));
  const second = await read(a, { streams: INCREMENTAL, settings, state });

  expect([first.code, second.code]).toEqual([0, 0]);
  for (const stream of INCREMENTAL) {
    const [before, after] = [first, second].map((r) => recordsOf(r.messages, stream).length);
    expect(after, stream).toBeLessThan(before!);
    expect(held(stream, first.messages, second.messages), stream).toEqual(truthOf(a, stream));
    expect(statusesOf(second.messages, stream)).toEqual(["STARTED", "RUNNING", "COMPLETE"]);
  }
});

test("two_sequential_reads: what a day changed comes with the next read", async () => {
  const a = await account({ ...SMALL, users: 20, trainingCampaigns: 6 });
  const first = await read(a, { streams: DEFAULTS });
  a.simulator.advance(1);
  a.simulator.account.clickInOpenTest();
  a.simulator.account.passEnrollment();

  const second = await read(a, { streams: DEFAULTS, state: kept(first.messages) });

  for (const stream of DEFAULTS) {
    const rows = new Set(held(stream, first.messages, second.messages));
    expect(truthOf(a, stream).filter((row) => !rows.has(row))).toEqual([]);
  }
});

/** Every state that a stream had in a run, with how many of its records came after it. */
function checkpoints(messages: readonly Message[], stream: string) {
  const total = recordsOf(messages, stream).length;
  let told = 0;
  return statesOf(messages, stream).map((state) => {
    told += state.sourceStats.recordCount;
    return { state, remaining: total - told };
  });
}

test("read_sequential_slices: from every checkpoint on, at least what had not come yet comes", async () => {
  const a = await account({ users: 3, tests: 210 });
  const stream = "security_test_recipients";
  const first = await read(a, { streams: [stream] });
  const points = checkpoints(first.messages, stream);
  expect(points.length).toBeGreaterThan(3);

  for (const { state, remaining } of points) {
    const { code, messages } = await read(a, { streams: [stream], state: [state] });

    const again = recordsOf(messages, stream);
    expect(code).toBe(0);
    expect(again.length).toBeGreaterThanOrEqual(remaining);
    expect(again.length).toBeLessThan(recordsOf(first.messages, stream).length);
    const before = recordsOf(first.messages, stream).slice(0, -remaining || undefined);
    const rows = [...before, ...again].map(({ data }) => keyOf(stream)(data));
    expect(new Set(rows).size).toBe(truthOf(a, stream).length);
  }
});

test("no two states of a stream in a row are equal, in a run or from one to the next", async () => {
  const a = await account({ users: 5, tests: 110 });
  const streams = INCREMENTAL.filter((stream) => !stream.startsWith("user_"));
  const states = new Map<string, string[]>(streams.map((stream) => [stream, []]));
  let state: unknown = [];

  for (let run = 0; run < 3; run += 1) {
    const { messages } = await read(a, { streams, state });
    for (const [stream, texts] of states) {
      texts.push(...statesOf(messages, stream).map((s) => JSON.stringify(s.stream)));
    }
    state = kept(messages);
  }

  for (const [stream, texts] of states) {
    expect(texts.length, stream).toBeGreaterThanOrEqual(3);
    for (const [i, text] of texts.entries()) if (i > 0) expect(text).not.toBe(texts[i - 1]);
  }
});

/** The state with every instant and day of its bookmark in a time that nobody will see. */
function inFarFuture(states: readonly StateMessage[]): readonly StateMessage[] {
  const text = JSON.stringify(states).replace(/"2\d{3}-(\d\d-\d\d)/g, '"2999-$1');
  return JSON.parse(text) as readonly StateMessage[];
}

test("state_with_abnormally_large_values: nothing fails, and the cursor comes back", async () => {
  const a = await account(SMALL);
  const first = await read(a, { streams: INCREMENTAL });
  const future = inFarFuture(kept(first.messages));

  const { code, messages } = await read(a, { streams: INCREMENTAL, state: future });

  expect(code).toBe(0);
  expect(errorsOf(messages)).toEqual([]);
  for (const { stream } of future) {
    const { name } = stream.stream_descriptor;
    expect(statusesOf(messages, name)).toEqual(["STARTED", "RUNNING", "COMPLETE"]);
    const { bookmark } = statesOf(messages, name).at(-1)!.stream.stream_state;
    const { cursor } = stream.stream_state["bookmark"];
    expect(bookmark.cursor, name).toBe(cursor);
    if (cursor !== undefined) expect(recordsOf(messages, name)).toEqual([]);
  }
});

describe("state", () => {
  test.each([
    ["absent", undefined],
    ["in an empty file", ""],
    ["in a file with a mark and nothing else", "\uFEFF\n"],
    ["{}", {}],
    ["[]", []],
    ["null", null],
  ])("%s is a first run", async (_, state) => {
    const a = await account(SMALL);

    const { code, messages } = await read(a, { streams: ["enrollments"], state });

    expect(code).toBe(0);
    expect(logged(messages, "WARN")).toEqual([]);
    expect(rowsOf(messages, "enrollments")).toEqual(truthOf(a, "enrollments"));
  });

  test("in a file that is not there is a first run", async () => {
    const a = await account(SMALL);

    const { code, messages } = await source([
      ...readArgs(a, { streams: ["policies"] }),
      ...["--state", `${a.cwd}/no-such-state.txt`],
    ]);

    expect(code).toBe(0);
    expect(rowsOf(messages, "policies")).toEqual(truthOf(a, "policies"));
  });

  test("null of one stream reads that one whole, and the others go on", async () => {
    const a = await account(SMALL);
    const streams = ["enrollments", "security_test_recipients"];
    const first = await read(a, { streams });
    const state = kept(first.messages).map((s) =>
      s.stream.stream_descriptor.name === "enrollments"
        ? { ...s, stream: { ...s.stream, stream_state: null } }
        : s,
    );

    const { code, messages } = await read(a, { streams, state });

    expect(code).toBe(0);
    expect(rowsOf(messages, "enrollments")).toEqual(truthOf(a, "enrollments"));
    expect(recordsOf(messages, "security_test_recipients")).toEqual([]);
  });

  test("of a stream that is read in full is of no account", async () => {
    const a = await account(SMALL);
    const streams = [{ name: "security_test_recipients", mode: "full_refresh" }];
    const first = await read(a, { streams });

    const { messages } = await read(a, { streams, state: kept(first.messages) });

    const stream = "security_test_recipients";
    expect(rowsOf(messages, stream)).toEqual(truthOf(a, stream));
    const [one, two] = [first.messages, messages].map((m) => statesOf(m, stream).at(-1)!);
    expect(JSON.stringify(two!.stream)).not.toBe(JSON.stringify(one!.stream));
  });

  test("of a stream that is not ours is warned about, once, and the others go on", async () => {
    const a = await account(SMALL);
    const first = await read(a, { streams: ["security_test_recipients"] });
    const strange = {
      type: "STREAM",
      stream: { stream_descriptor: { name: "planets" }, stream_state: { any: 1 } },
    };

    const { code, messages } = await read(a, {
      streams: ["security_test_recipients"],
      state: [strange, ...kept(first.messages)],
    });

    expect(code).toBe(0);
    expect(logged(messages, "WARN")).toEqual([
      "state: planets is not a stream of this source: ignored",
    ]);
    expect(recordsOf(messages, "security_test_recipients")).toEqual([]);
    expect(statesOf(messages, "planets")).toEqual([]);
  });

  const blob = { version: 1, number: 1, bookmark: { completedAt: null } };
  const ofStream = (state: object) => ({
    type: "STREAM",
    stream: { stream_descriptor: { name: "users" }, stream_state: state },
  });
  test.each<readonly [string, unknown, RegExp]>([
    ["that is legacy", [{ type: "LEGACY", data: {} }], /legacy and global states are not/],
    ["that is global", [{ type: "GLOBAL", global: {} }], /legacy and global states are not/],
    ["that is an object", { users: { cursor: 1 } }, /is not a list of per-stream states/],
    ["of a newer version", [ofStream({ ...blob, version: 2 })], /\(users\): .* 2 is newer than/],
    ["of another shape", [ofStream({ ...blob, bookmark: 5 })], /\(users\): bookmarks\.users is/],
    ["that is not JSON", "[{", /^state: .*state\.json is not JSON$/],
  ])("%s is one error trace, exit status 8, and nothing is read", async (_, state, what) => {
    const a = await account(SMALL);

    const { code, messages, stderr } = await read(a, { streams: ["users"], state });

    expect(code).toBe(8);
    expect(messages).toHaveLength(1);
    const [error] = errorsOf(messages);
    expect(error.failure_type).toBe("config_error");
    expect(error.message.split(" (pass ")[0]).toMatch(what);
    expect(stderr).toBe("");
    expect(a.simulator.requestCount).toBe(0);
  });
});

test.each(["users", "policies"])(
  "what the API client learned travels in the state of %s, run after run",
  async (stream) => {
    const a = await account(SMALL);
    const source = { completedAt: null, paging: "cursor", seats: SMALL.users };

    const first = await read(a, { streams: [stream] });
    const second = await read(a, { streams: [stream], state: kept(first.messages) });

    for (const { code, messages } of [first, second]) {
      expect(code).toBe(0);
      expect(kept(messages)[0]?.stream.stream_state["source"]).toMatchObject(source);
    }
    const spent = (messages: typeof first.messages): number =>
      Object.values<{ readonly requests: number }>(
        kept(messages)[0]?.stream.stream_state["source"].spent,
      ).reduce((sum, { requests }) => sum + requests, 0);
    expect(spent(second.messages)).toBe(a.simulator.requestCount);
    expect(spent(first.messages)).toBeLessThan(spent(second.messages));
  },
);

test("states come back as they went, also through other hands", async () => {
  const a = await account(SMALL);
  const first = await read(a, { streams: DEFAULTS });

  const state = file(a, "by-hand.json", withNulls(kept(first.messages)));
  const second = await source([...readArgs(a, { streams: ["users"] }), "--state", state]);

  expect(second.code).toBe(0);
  expect(logged(second.messages, "WARN")).toEqual([]);
});
