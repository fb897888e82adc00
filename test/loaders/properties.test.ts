import { setImmediate } from "node:timers/promises";

import fc from "fast-check";
import { expect, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import type { Checkpoint, Row } from "../../src/core/record.js";
import type { Loader } from "../../src/loaders/loader.js";
import type { Warehouse } from "../../src/loaders/warehouse.js";
import { batch, checkpoint, ended, runInfo, running } from "../protocols/singer/support.js";
import { desk, stream, type Desk } from "./support.js";

const STREAMS = ["people", "teams"] as const;
type Name = (typeof STREAMS)[number];

/** What may happen to a loader, in any order. */
type Step =
  | {
      readonly do: "write";
      readonly to: Name;
      readonly rows: readonly Row[];
      readonly safe: boolean;
    }
  | { readonly do: "flush" | "crash" | "crash in a commit" | "crash after a commit" }
  | { readonly do: "fail"; readonly to: Name };

const rows = fc.array(
  fc.record({ id: fc.integer({ min: 1, max: 4 }), name: fc.constantFrom("a", "b", "c", null) }),
  { maxLength: 4 },
);
const to = fc.constantFrom(...STREAMS);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constant("write" as const), to, rows, safe: fc.boolean() }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("flush" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const), to }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom("crash", "crash in a commit", "crash after a commit"),
      }),
    },
  ),
  { minLength: 3, maxLength: 16 },
);

const mode = fc.constantFrom("merge" as const, "append" as const);

test("any batches, checkpoints, flushes and crashes leave what the last commit covered", async () => {
  await fc.assert(
    fc.asyncProperty(steps, mode, fc.boolean(), async (script, chosen, isEager) => {
      const world = await worldOf(chosen, isEager);
      for (const step of script) {
        await world.take(step);
        if (step.do !== "write") await world.check();
      }
      await world.take({ do: "crash" });
      await world.check();
    }),
    { numRuns: 12 },
  );
}, 60_000);

/** A loader, and beside it a model of what it must have done. */
async function worldOf(chosen: "merge" | "append", isEager: boolean) {
  const commitBytes = isEager ? 1 : 1e9;
  const given = await desk();
  let pull: "before" | "after" | undefined;
  let loader: Loader | undefined;
  let minute = 0;
  /** Streams that have ended in this run. */
  const over = new Set<Name>();
  /** Rows by stream: in the table; under a checkpoint; after the last one. */
  const table: Record<Name, Row[]> = { people: [], teams: [] };
  const safe: Record<Name, Row[]> = { people: [], teams: [] };
  const tail: Record<Name, Row[]> = { people: [], teams: [] };
  const promised = new Map<string, Checkpoint>();
  const known = new Map<string, Checkpoint>();

  const commit = (): void => {
    for (const name of STREAMS) table[name].push(...safe[name].splice(0));
    for (const [name, made] of promised) known.set(name, made);
    promised.clear();
  };
  const hear = (covered: readonly Checkpoint[]): void => {
    if (covered.length === 0) return;
    for (const made of covered) known.set(made.stream, made);
    commit();
  };
  const begin = async (): Promise<Loader> => {
    const made = given.over(
      pluggable(() => pull),
      { mode: chosen, commitBytes },
    );
    await made.open(runInfo(), running());
    for (const name of STREAMS) {
      await made.declare(stream(name, { id: "integer", name: "string" }));
    }
    return made;
  };
  const crash = async (): Promise<void> => {
    await loader?.[Symbol.asyncDispose]();
    loader = undefined;
    for (const name of STREAMS) {
      safe[name] = [];
      tail[name] = [];
    }
    promised.clear();
    over.clear();
  };

  return {
    take: async (step: Step): Promise<void> => {
      loader ??= await begin();
      if (step.do === "write") {
        if (over.has(step.to)) return;
        tail[step.to].push(...step.rows);
        const made = checkpoint(step.to, (minute += 1) % 60);
        if (step.safe) {
          safe[step.to].push(...tail[step.to].splice(0));
          promised.set(step.to, made);
        }
        const more = step.safe ? { checkpoint: made } : {};
        hear(await loader.write(batch(step.to, step.rows, more)));
        // A commit has begun, and a call that brings nothing hears of it once it is over.
        while (isEager && STREAMS.some((name) => safe[name].length > 0)) {
          await setImmediate();
          hear(await loader.write(batch(step.to, [])));
        }
      } else if (step.do === "fail") {
        tail[step.to] = [];
        over.add(step.to);
        hear(await loader.end({ ...ended(step.to), status: "failed" }));
      } else if (step.do === "flush") {
        hear(await loader.flush());
      } else if (step.do === "crash") {
        await crash();
      } else {
        pull = step.do === "crash in a commit" ? "before" : "after";
        await loader.flush().catch((error: unknown) => {
          if (error !== PULLED) throw error;
        });
        pull = undefined;
        // Sealed, so the next run commits it if this one has not.
        commit();
        await crash();
        loader = await begin();
      }
    },
    check: async (): Promise<void> => {
      await expectTables(given, table, chosen);
      const state = await given.loader().readState();
      expect(state.bookmarks).toEqual(
        Object.fromEntries([...known].map(([name, made]) => [name, made.bookmark])),
      );
    },
  };
}

const PULLED = new ConnectorError("locked", "the plug was pulled");

/** A warehouse whose plug can be pulled before or after a commit. */
function pluggable(pull: () => "before" | "after" | undefined) {
  return (real: Warehouse): Warehouse => ({
    ...real,
    open: async (use) => {
      const session = await real.open(use);
      return {
        ...session,
        transact: async (statements, loadId) => {
          if (pull() === "before") throw PULLED;
          await session.transact(statements, loadId);
          if (pull() === "after") throw PULLED;
        },
      };
    },
  });
}

async function expectTables(
  { query }: Desk,
  table: Readonly<Record<Name, readonly Row[]>>,
  chosen: "merge" | "append",
): Promise<void> {
  for (const name of STREAMS) {
    // A table that was never made holds nothing.
    const found = await query(`SELECT id, name FROM ${name}`).catch(() => []);
    const latest = new Map(table[name].map((row) => [row["id"], row]));
    const expected = chosen === "merge" ? [...latest.values()] : table[name];
    expect(sorted(found)).toEqual(sorted(expected));
  }
}

const sorted = (found: readonly Row[]): readonly string[] =>
  found.map((row) => JSON.stringify([row["id"], row["name"]])).toSorted();
