import { setImmediate } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { ConnectorError } from "../../../src/core/errors.js";
import { parseState, type State } from "../../../src/core/state.js";
import { SingerWriter } from "../../../src/protocols/singer/writer.js";
import {
  batch,
  checkpoint,
  declared,
  ended,
  memoryOut,
  messagesOf,
  ofType,
  runInfo,
  running,
} from "./support.js";

/** The lines of the Singer writer, when they come, and what they confirm. */

async function opened(out = memoryOut(), state?: State) {
  const writer = new SingerWriter(out);
  await writer.open(runInfo(state), running());
  return { out, writer };
}

describe("messages", () => {
  test("a record is spliced round its row, with _observed_at last in it", async () => {
    const { out, writer } = await opened();
    await writer.write(batch("groups", [{ id: 1, name: "A" }]));

    expect(out.text.split("\n")[1]).toBe(
      '{"type":"RECORD","stream":"groups","record":{"id":1,"name":"A",' +
        '"_observed_at":"2026-06-01T00:00:00.000Z"},"time_extracted":"2026-06-01T00:00:01.000Z"}',
    );
  });

  test("rows of another tap get no _observed_at, and an empty row is a record too", async () => {
    const { out, writer } = await opened();
    await writer.write(batch("a", [{ id: 1 }, {}], { observedAt: null }));
    await writer.write(batch("a", [{}]));

    expect(ofType(out.text, "RECORD").map((m) => m["record"])).toEqual([
      { id: 1 },
      {},
      { _observed_at: "2026-06-01T00:00:00.000Z" },
    ]);
  });

  test("a schema has the stream's keys, and its cursor if there is one", async () => {
    const { out, writer } = await opened();
    await writer.declare(declared("group_members"));
    await writer.declare(declared("risk_score_history"));
    await writer.flush();

    expect(ofType(out.text, "SCHEMA")).toMatchObject([
      { stream: "group_members", key_properties: ["group_id", "user_id"] },
      { stream: "risk_score_history", bookmark_properties: ["date"] },
    ]);
    expect(ofType(out.text, "SCHEMA")[0]).not.toHaveProperty("bookmark_properties");
    expect(out.text.split("\n")[1]).toMatch(/^\{"type":"SCHEMA","stream":"group_members",/);
  });

  test("a schema comes again only if it changed", async () => {
    const { out, writer } = await opened();
    await writer.declare(declared("groups"));
    await writer.declare(declared("groups"));
    await writer.declare(declared("groups", { deselected: new Set(["status"]) }));
    await writer.flush();

    const names = ofType(out.text, "SCHEMA").map((m) =>
      Object.keys((m["schema"] as { properties: object }).properties),
    );
    expect(names).toHaveLength(2);
    expect(names[0]).toContain("status");
    expect(names[1]).not.toContain("status");
  });

  test("there is no BATCH and no ACTIVATE_VERSION", async () => {
    const { out, writer } = await opened();
    await writer.declare(declared("groups"));
    await writer.write(batch("groups", [{ id: 1 }], { checkpoint: checkpoint("groups") }));
    await writer.end(ended("groups"));

    expect(messagesOf(out.text).map((m) => m["type"])).toEqual([
      ...["STATE", "SCHEMA", "RECORD", "STATE"],
    ]);
  });

  test("no line is cut by what some readers take for the end of one", async () => {
    const { out, writer } = await opened();
    const name = "a\u2028b\u2029c\u0085d\ne\r\u000b\u000c\u001c\u0000f";
    await writer.write(batch("groups", [{ id: 1, name }]));

    expect(out.text.split("\n")[1]).not.toMatch(/[\r\u0085\u2028\u2029\u000b\u000c\u001c\u0000]/);
    expect(ofType(out.text, "RECORD")[0]).toMatchObject({ record: { name } });
  });

  test("a row too long for a message is a fault that names its stream, not its content", async () => {
    const { writer } = await opened();
    const row = { id: 1, comment: `canary${"é".repeat(27 * 1024 * 1024)}` };

    const failed = await writer.write(batch("users", [row])).catch((e: unknown) => e);

    expect(failed).toBeInstanceOf(ConnectorError);
    expect(failed).toMatchObject({ kind: "bad_record", context: { stream: "users" } });
    expect((failed as Error).message).toBe("users: a row of 55 MiB is too long for a message");
  });

  test("a row a little shorter than that is written", async () => {
    const { out, writer } = await opened();
    const row = { id: 1, comment: "é".repeat(24 * 1024 * 1024) };
    await writer.write(batch("users", [row]));

    expect(ofType(out.text, "RECORD")).toHaveLength(1);
  });
});

describe("state", () => {
  test("the first line is the state that the run starts from, on a first run as well", async () => {
    const { out } = await opened();
    expect(out.text).toBe('{"type":"STATE","value":{"bookmarks":{},"version":1}}\n');
  });

  test("what others put into the state comes back as it was", async () => {
    const given = {
      version: 1,
      bookmarks: { gone: { completedAt: null, note: [1, 2] } },
      currently_syncing: null,
      "x-team": { b: 1, a: 2 },
    };
    const { out, writer } = await opened(memoryOut(), parseState(given, "state"));
    await writer.write(batch("groups", [], { checkpoint: checkpoint("groups") }));

    expect(ofType(out.text, "STATE").map((m) => m["value"])).toEqual([
      given,
      { ...given, bookmarks: { ...given.bookmarks, ...bookmarksOf("groups") } },
    ]);
    expect(out.text).toContain('"x-team":{"a":2,"b":1}');
  });

  test("a state comes after the records that it covers, and holds every stream so far", async () => {
    const { out, writer } = await opened();
    await writer.write(batch("groups", [{ id: 1 }], { checkpoint: checkpoint("groups") }));
    await writer.write(batch("users", [{ id: 2 }]));
    await writer.write(batch("users", [{ id: 3 }], { checkpoint: checkpoint("users") }));

    expect(messagesOf(out.text).map((m) => m["type"])).toEqual([
      ...["STATE", "RECORD", "STATE", "RECORD", "RECORD", "STATE"],
    ]);
    expect(messagesOf(out.text).at(-1)).toMatchObject({
      value: { bookmarks: { ...bookmarksOf("groups"), ...bookmarksOf("users") } },
    });
  });

  test("an unchanged state is not repeated, and its checkpoint is confirmed all the same", async () => {
    const { out, writer } = await opened();
    const first = await writer.write(batch("a", [], { checkpoint: checkpoint("a") }));
    const again = await writer.write(batch("a", [], { checkpoint: checkpoint("a") }));
    const rest = await writer.flush();

    expect(ofType(out.text, "STATE")).toHaveLength(2);
    expect([...first, ...again, ...rest]).toEqual([checkpoint("a"), checkpoint("a")]);
  });
});

describe("confirmation", () => {
  test("a checkpoint is returned once the reader has taken its state, not before", async () => {
    const { out, writer } = await openedSlowly();
    const written = await writer.write(batch("a", [{ id: 1 }], { checkpoint: checkpoint("a") }));
    expect(written).toEqual([]);
    expect(out.text).toBe("");

    const flushed = writer.flush();
    out.take();
    await turns();
    expect(await settledSoFar(flushed)).toBe("waiting");
    out.take();

    expect(await flushed).toEqual([checkpoint("a")]);
  });

  test("a checkpoint without anything to write waits for what is before it", async () => {
    const { out, writer } = await openedSlowly();
    await writer.write(batch("a", [{ id: 1 }], { checkpoint: checkpoint("a") }));
    await writer.write(batch("a", [], { checkpoint: checkpoint("a") }));

    const flushed = writer.flush();
    out.take();
    await turns();
    expect(await settledSoFar(flushed)).toBe("waiting");
    out.takeAll();

    expect(await flushed).toEqual([checkpoint("a"), checkpoint("a")]);
  });

  test("nothing becomes durable by disposal", async () => {
    const { out, writer } = await opened();
    await writer.declare(declared("groups"));
    await writer[Symbol.asyncDispose]();

    expect(ofType(out.text, "SCHEMA")).toEqual([]);
    expect(await writer.flush()).toEqual([]);
  });
});

describe("a reader that is slow or gone", () => {
  const wide = { id: 1, comment: "x".repeat(10_000) };

  test("never holds more than two chunks for a reader that takes nothing", async () => {
    const { out, writer } = await openedSlowly();
    let written = 0;
    let most = 0;
    const writing = (async () => {
      for (let i = 0; i < 40; i++) {
        await writer.write(
          batch(
            "users",
            Array.from({ length: 50 }, () => wide),
          ),
        );
        written += 50 * 10_000;
      }
      await writer.flush();
    })();

    for (let i = 0; i < 40 * 8 && written < 40 * 50 * 10_000; i++) {
      await turns();
      most = Math.max(most, out.waiting);
      out.take();
    }
    out.takeAll();
    await writing;

    expect(written).toBe(20_000_000);
    expect(ofType(out.text, "RECORD")).toHaveLength(2_000);
    expect(most).toBeGreaterThan(65_536);
    expect(most).toBeLessThan(2 * 80_000);
  });

  test("a closed pipe ends the run as SIGPIPE would, at once and for good", async () => {
    const gone = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    const out = memoryOut({ fail: (n) => (n === 2 ? gone : undefined) });
    const { writer } = await opened(out);

    const failed = await writer
      .write(batch("a", [{ id: 1 }], { checkpoint: checkpoint("a") }))
      .then(() => writer.flush())
      .catch((e: unknown) => e);

    expect(failed).toMatchObject({ kind: "cancelled", context: { signal: "SIGPIPE" } });
    await expect(writer.write(batch("a", []))).rejects.toBe(failed);
    await expect(writer.flush()).rejects.toBe(failed);
  });

  test("a pipe that closes while the writer waits ends the waiting", async () => {
    const { out, writer } = await openedSlowly();
    await writer.write(batch("users", [wide]));
    const waiting = writer.flush();
    out.destroy();

    await expect(waiting).rejects.toMatchObject({ context: { signal: "SIGPIPE" } });
  });

  test("a disk that is full is the destination's fault, and the code is named", async () => {
    const full = Object.assign(new Error("ENOSPC: /home/ada"), { code: "ENOSPC" });
    const out = memoryOut({ fail: (n) => (n === 2 ? full : undefined) });
    const { writer } = await opened(out);

    const failed = writer.write(batch("a", [{ id: 1 }])).then(() => writer.flush());

    await expect(failed).rejects.toMatchObject({
      kind: "destination",
      message: "stdout: a write failed (ENOSPC)",
      cause: full,
    });
  });

  test("a killed run does not wait for the reader", async () => {
    const out = memoryOut({ slow: true });
    const writer = new SingerWriter(out);
    const kill = new AbortController();
    await writer.open(runInfo(), kill.signal);
    const waiting = writer.flush();
    const reason = new ConnectorError("cancelled", "stopped by SIGINT");
    kill.abort(reason);

    await expect(waiting).rejects.toBe(reason);
  });
});

function bookmarksOf(stream: string) {
  return { [stream]: checkpoint(stream).bookmark };
}

/** A writer whose first line nobody has taken. */
async function openedSlowly() {
  const out = memoryOut({ slow: true });
  const writer = new SingerWriter(out);
  await writer.open(runInfo(), running());
  return { out, writer };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await setImmediate();
}

async function settledSoFar(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise, turns().then(() => "waiting")]);
}
