import fc from "fast-check";
import { expect, test } from "vitest";

import { startSimulator, type SimulatorOptions } from "../../../src/simulator/index.js";
import {
  AIRBYTE,
  merged,
  READ,
  runOnce,
  SINGER,
  truth,
  type Break,
  type Protocol,
} from "./support.js";

/** One tap, two protocols: the same account comes out the same, and so does what is kept of it. */

const PROTOCOLS = [SINGER, AIRBYTE];

const anyAccount: fc.Arbitrary<SimulatorOptions> = fc.record({
  seed: fc.nat(1_000),
  users: fc.integer({ min: 20, max: 60 }),
  tests: fc.integer({ min: 0, max: 8 }),
  trainingCampaigns: fc.integer({ min: 0, max: 6 }),
  paging: fc.constantFrom("cursor", "page", "both"),
  cursorIn: fc.constantFrom("header", "envelope"),
});
const anyPageSize = fc.constantFrom(7, 40, 500);

const anyBreak: fc.Arbitrary<Break> = fc.record({
  how: fc.constantFrom("a signal", "two signals", "a fault", "a closed pipe", "a kill"),
  at: fc.integer({ min: 1, max: 60 }),
});

/** Rows in the order in which they came, by stream. */
function byStream(protocol: Protocol, text: string): ReadonlyMap<string, readonly string[]> {
  const rows = protocol.rows(text);
  return new Map(
    READ.map((name) => [
      name,
      rows.flatMap(({ stream, row }) => (stream === name ? [JSON.stringify(row)] : [])),
    ]),
  );
}

test("any account gives the same rows and the same state under either, on any later day too", async () => {
  await fc.assert(
    fc.asyncProperty(anyAccount, anyPageSize, fc.nat(3), async (account, pageSize, days) => {
      const runs = [];
      for (const protocol of PROTOCOLS) {
        await using simulator = await startSimulator(account);
        const first = await runOnce(protocol, simulator, { pageSize });
        const then = truth(simulator);
        simulator.advance(days);
        const second = await runOnce(protocol, simulator, { pageSize, kept: first.kept });

        for (const run of [first, second]) expect(run.result.error).toBeUndefined();
        expect(merged(protocol, first)).toEqual(then);
        runs.push({ protocol, first, second });
      }

      const [one, two] = runs.map(({ protocol, first, second }) => ({
        rows: [first, second].map(({ text }) => byStream(protocol, text)),
        // What the engine made of it, and what comes out of what the platform keeps.
        told: [first, second].map(({ result }) => result.state),
        kept: [first, second].map((run) => protocol.start(run.kept).state),
      }));
      expect(two).toEqual(one);
      expect(one!.kept).toEqual(one!.told);
    }),
    { numRuns: 5 },
  );
}, 60_000);

test("any run that is broken off under either is completed by the next one", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyAccount,
      anyPageSize,
      anyBreak,
      fc.nat(2),
      async (account, pageSize, broken, days) => {
        for (const protocol of PROTOCOLS) {
          await using simulator = await startSimulator(account);
          const first = await runOnce(protocol, simulator, { pageSize, broken });
          simulator.advance(days);
          const second = await runOnce(protocol, simulator, { pageSize, kept: first.kept });

          expect(second.result.error).toBeUndefined();
          const wanted = truth(simulator);
          const held = merged(protocol, first, second);
          if (days === 0) expect(held, protocol.name).toEqual(wanted);
          for (const [stream, rows] of wanted) {
            const there = new Set(held.get(stream));
            expect(rows.filter((row) => !there.has(row))).toEqual([]);
          }
        }
      },
    ),
    { numRuns: 8 },
  );
}, 60_000);

test("any run that is broken off twice is completed by the third", async () => {
  await fc.assert(
    fc.asyncProperty(anyAccount, anyBreak, anyBreak, async (account, one, two) => {
      for (const protocol of PROTOCOLS) {
        await using simulator = await startSimulator(account);
        const first = await runOnce(protocol, simulator, { broken: one });
        const second = await runOnce(protocol, simulator, { broken: two, kept: first.kept });
        const third = await runOnce(protocol, simulator, { kept: second.kept });

        expect(third.result.error).toBeUndefined();
        expect(merged(protocol, first, second, third), protocol.name).toEqual(truth(simulator));
      }
    }),
    { numRuns: 3 },
  );
}, 60_000);
