import { setImmediate as nextTurn } from "node:timers/promises";

import fc from "fast-check";
import { expect, test } from "vitest";

import type { Checkpoint, Row } from "../../src/core/record.js";
import { batch, checkpoint } from "../protocols/singer/support.js";
import { begun, people, teams, type Harness, type MakePlace } from "./place.js";

/** Flushes, and batches of some rows with or without a checkpoint. */
const steps = fc.array(
  fc.record({
    to: fc.constantFrom("people", "teams", "people", "teams", "flush"),
    size: fc.nat(3),
    safe: fc.boolean(),
  }),
  { minLength: 2, maxLength: 8 },
);

const WAITING = Symbol("waiting");

/** Waits for a call while a slow place takes what it is given, a little at each turn. */
async function slowly<T>(harness: Harness, call: Promise<T>): Promise<T> {
  for (;;) {
    const first = await Promise.race([call, nextTurn(WAITING)]);
    if (first !== WAITING) return call;
    harness.take?.();
  }
}

/** The promise that all others rest on, over any order of batches, in a place that is slow. */
export function testDurability(makePlace: MakePlace, timeout: number): void {
  const patience = { timeout };

  test(
    "never returns a checkpoint before what it covers is durable, whatever comes",
    patience,
    async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (script) => {
          const harness = await makePlace({ pace: "slow" });
          const sink = await slowly(harness, begun(harness, people, teams));
          const given: Record<string, Row[]> = { people: [], teams: [] };
          const promised = new Map<Checkpoint, readonly [string, number]>();

          for (const [i, { to, size, safe }] of script.entries()) {
            let call: Promise<readonly Checkpoint[]>;
            if (to === "flush") call = sink.flush();
            else {
              const made = Array.from({ length: size }, (_, k): Row => ({ id: i * 10 + k }));
              given[to]!.push(...made);
              const done = checkpoint(to, i);
              if (safe) promised.set(done, [to, given[to]!.length]);
              call = sink.write(batch(to, made, safe ? { checkpoint: done } : {}));
            }
            for (const covered of await slowly(harness, call)) {
              const [of, count] = promised.get(covered)!;
              const left = new Set((await harness.durable(of)).map((row) => row["id"]));
              const due = given[of]!.slice(0, count).map((row) => row["id"]);
              expect(due.filter((id) => !left.has(id))).toEqual([]);
            }
          }
        }),
        { numRuns: 6 },
      );
    },
  );
}
