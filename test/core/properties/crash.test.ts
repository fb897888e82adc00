import fc from "fast-check";
import { expect, test } from "vitest";

import { textOf } from "../../../src/core/json.js";
import { EMPTY_STATE, parseState, type State } from "../../../src/core/state.js";
import { anyAccount, keysOf, scriptOf, type Account } from "../../support/accounts.js";
import { run, type Ran, type RunOptions } from "../../support/run.js";
import { recordingSink, type RecordingSink, type SinkOptions } from "../../support/sink.js";
import { scriptedSource, stopped, unavailable, type SourceOptions } from "../../support/source.js";
import { REGISTRY } from "../../support/streams.js";

/**
 * Whatever breaks and wherever: what is durable, and what the next runs read from the state that
 * was returned, is all there is.
 */

const STREAMS = ["people", "members", "results", "enrolments", "scores", "team_scores"];
const RUNS = { numRuns: 60 };

const sync = (
  account: Account,
  state: State,
  sink: RecordingSink,
  more: SourceOptions & Pick<RunOptions, "stop" | "kill" | "at"> = {},
): Promise<Ran> => {
  const { stop, kill, at, ...options } = more;
  return run({
    streams: STREAMS,
    source: scriptedSource(scriptOf(account), options),
    sink,
    state,
    settings: { concurrency: 3, pageSize: account.pageSize },
    at: at ?? 0,
    ...(stop === undefined ? {} : { stop }),
    ...(kill === undefined ? {} : { kill }),
  });
};

/** Keys of the rows that a crash at the end of this run would leave behind. */
function durable(sink: RecordingSink): readonly string[] {
  return STREAMS.flatMap((stream) => {
    const key = REGISTRY.find((def) => def.name === stream)?.primaryKey ?? [];
    return sink
      .durable(stream)
      .map((row) => `${stream} ${key.map((k) => textOf(row[k] ?? null)).join()}`);
  });
}

const sorted = (keys: Iterable<string>) => [...new Set(keys)].toSorted();

/** As a platform keeps it: text in between. */
const stored = (state: State) => parseState(JSON.parse(JSON.stringify(state)), "state");

test("any account is read whole by one run", async () => {
  await fc.assert(
    fc.asyncProperty(anyAccount, async (account) => {
      const sink = recordingSink();

      const ran = await sync(account, EMPTY_STATE, sink);

      expect(ran.error).toBeUndefined();
      expect(sorted(durable(sink))).toEqual(sorted(keysOf(account)));
    }),
    RUNS,
  );
});

const when = fc.constantFrom<SinkOptions["acknowledge"]>("at once", "at flush", "never");

test("after a sink that fails, or goes deaf, at any call, another run completes what is missing", async () => {
  const fault = fc.oneof(
    fc.record({ failAt: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ deafAfter: fc.nat(60) }),
  );

  await fc.assert(
    fc.asyncProperty(anyAccount, when, fault, async (account, acknowledge, broken) => {
      const first = recordingSink({ ...broken, ...(acknowledge && { acknowledge }) });
      const second = recordingSink();

      const crashed = await sync(account, EMPTY_STATE, first);
      const ran = await sync(account, stored(crashed.state), second);

      expect(ran.error).toBeUndefined();
      expect(sorted([...durable(first), ...durable(second)])).toEqual(sorted(keysOf(account)));
    }),
    RUNS,
  );
});

test("after a source that fails, is stopped or killed at any request, another run completes it", async () => {
  const how = fc.constantFrom("fails", "stops", "is killed");

  await fc.assert(
    fc.asyncProperty(anyAccount, when, how, fc.nat(50), async (account, acknowledge, fault, at) => {
      const stop = new AbortController();
      const kill = new AbortController();
      let left = at;
      const onRequest = () => {
        if (left-- > 0) return;
        if (fault === "fails") throw unavailable();
        (fault === "stops" ? stop : kill).abort(stopped());
      };
      const first = recordingSink(acknowledge && { acknowledge });
      const second = recordingSink();

      const broken = await sync(account, EMPTY_STATE, first, {
        onRequest,
        stop: stop.signal,
        kill: kill.signal,
      });
      const ran = await sync(account, stored(broken.state), second);

      expect(ran.error).toBeUndefined();
      expect(sorted([...durable(first), ...durable(second)])).toEqual(sorted(keysOf(account)));
    }),
    RUNS,
  );
});

test("crash after crash, state never leads data, and the last run completes it", async () => {
  const crashes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 });

  await fc.assert(
    fc.asyncProperty(anyAccount, crashes, async (account, calls) => {
      let state = EMPTY_STATE;
      const kept: string[] = [];
      for (const failAt of [...calls, Infinity]) {
        const sink = recordingSink({ failAt });
        const ran = await sync(account, state, sink);
        state = stored(ran.state);
        kept.push(...durable(sink));
      }

      expect(sorted(kept)).toEqual(sorted(keysOf(account)));
    }),
    RUNS,
  );
});

test("after a crash and a day in which anything changed, the next run reads all that is new", async () => {
  const call = fc.integer({ min: 1, max: 60 });

  await fc.assert(
    fc.asyncProperty(anyAccount, anyAccount, call, async (before, after, failAt) => {
      const first = recordingSink({ failAt });
      const second = recordingSink();

      const crashed = await sync(before, EMPTY_STATE, first);
      const ran = await sync(after, stored(crashed.state), second, { at: 1 });

      expect(ran.error).toBeUndefined();
      const kept = new Set([...durable(first), ...durable(second)]);
      expect([...keysOf(after)].filter((key) => !kept.has(key))).toEqual([]);
    }),
    RUNS,
  );
});
