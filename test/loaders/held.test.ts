import { describe, expect, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import { batch, checkpoint, runInfo } from "../protocols/singer/support.js";
import { child } from "./children.js";
import { desk, failure, PEOPLE } from "./support.js";

/** Other processes that read the database, or hold it. */

const ada = { id: 1, name: "Ada" };
const NAMES = "SELECT id, name FROM people ORDER BY id";

describe("a database that another process has open", () => {
  test.for(["hold", "read"])("(%s) fails a run at once, before anything is read", async (how) => {
    const { load, loader, path, clock } = await desk();
    await load(PEOPLE, [ada]);
    await child([how, path]).next();

    const error = await failure(loader().prepare());

    expect(error).toMatchObject({
      kind: "locked",
      message: `destination ${path}: another process holds the database`,
    });
    expect(error.hint).toContain("close it there");
    expect(clock.slept).toEqual([]);
  });

  test("is waited for by a commit", async () => {
    const { opened, path, query, clock, events } = await desk();
    let left = 3;
    const patient = {
      ...clock,
      sleep: async (ms: number, signal?: AbortSignal) => {
        await clock.sleep(ms, signal);
        if ((left -= 1) === 0) await holder.end();
      },
    };
    const loader = await opened({ clock: patient });
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [ada], { checkpoint: checkpoint("people") }));
    const holder = child(["hold", path]);
    await holder.next();

    const told = await loader.flush();

    expect(told).toEqual([checkpoint("people")]);
    expect(clock.slept).toEqual([500, 500, 500]);
    expect(events).toEqual([
      {
        type: "waiting",
        reason: `${path} is in use by another process`,
        waitMs: 60_000,
      },
      { type: "committed", rows: 1 },
    ]);
    expect(await query(NAMES)).toEqual([ada]);
  });

  test("fails a commit after a minute, and the next run commits it", async () => {
    const { opened, loader, path, query, clock, waiting } = await desk();
    await using first = await opened();
    await first.declare(PEOPLE);
    await first.write(batch("people", [ada], { checkpoint: checkpoint("people") }));
    const holder = child(["hold", path]);
    await holder.next();

    const error = await failure(first.flush());
    await first[Symbol.asyncDispose]();

    expect(error).toMatchObject({ kind: "locked" });
    expect(clock.slept.reduce((sum, ms) => sum + ms, 0)).toBe(60_000);
    expect(await waiting()).toHaveLength(1);

    await holder.end();
    await loader().prepare();
    expect(await query(NAMES)).toEqual([ada]);
  });

  test("is not waited for once the run is to end", async () => {
    const { loader, path, clock, waiting } = await desk();
    const kill = new AbortController();
    const stopped = new ConnectorError("cancelled", "stopped");
    const impatient = {
      ...clock,
      sleep: async (ms: number, signal?: AbortSignal) => {
        kill.abort(stopped);
        await clock.sleep(ms, signal);
      },
    };
    const made = loader({ clock: impatient });
    await made.open(runInfo(), kill.signal);
    await made.declare(PEOPLE);
    await made.write(batch("people", [ada], { checkpoint: checkpoint("people") }));
    await child(["hold", path]).next();

    expect(await failure(made.flush())).toBe(stopped);
    expect(await waiting()).toHaveLength(2);
    await made[Symbol.asyncDispose]();
    expect(await waiting()).toHaveLength(1);
  });

  test("can be read by anybody between two commits", async () => {
    const { opened, path, query } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [ada], { checkpoint: checkpoint("people", 1) }));
    await loader.flush();

    const reader = child(["read", path]);
    await reader.next();
    await reader.end();
    await loader.write(batch("people", [], { checkpoint: checkpoint("people", 2) }));

    expect(await loader.flush()).toEqual([checkpoint("people", 2)]);
    expect(await query(NAMES)).toEqual([ada]);
  });
});

test("nobody ever sees a table that is being replaced empty", async () => {
  const { load, path } = await desk();
  const rows = Array.from({ length: 2_000 }, (_, id) => ({ id, name: "x".repeat(100) }));
  await load(PEOPLE, rows, { mode: "replace" });
  const watcher = child(["watch", path]);
  await watcher.next();

  for (let run = 0; run < 4; run += 1) {
    // In between two runs, so that it has looked at each of them.
    expect(await watcher.next()).toBe(rows.length);
    await loadPatiently(() => load(PEOPLE, rows, { mode: "replace" }));
  }
  await watcher.end();

  expect(new Set(watcher.said)).toEqual(new Set(["ready", rows.length]));
});

/** The watcher takes the file for moments only, but a run is refused at once. */
async function loadPatiently(load: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await load();
      return;
    } catch (error) {
      if (!(error instanceof ConnectorError && error.kind === "locked")) throw error;
    }
  }
}
