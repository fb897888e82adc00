import { describe, expect, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import type { StreamOutcome } from "../../src/core/events.js";
import { stringify } from "../../src/core/json.js";
import type { Checkpoint, Row } from "../../src/core/record.js";
import { SOURCE_KEY } from "../../src/core/state.js";
import { stream } from "../loaders/support.js";
import { batch, checkpoint, ended, runInfo } from "../protocols/singer/support.js";
import { testDurability } from "./durability.js";
import { begun, people, teams, type Harness, type MakePlace, type Nature } from "./place.js";
import { VALUES } from "./values.js";

const ada: Row = { id: 1, name: "Ada" };
const bob: Row = { id: 2, name: "Bob" };
const cyd: Row = { id: 3, name: "Cyd" };

const failed: StreamOutcome = {
  stream: "people",
  status: "failed",
  rows: 0,
  rejected: 0,
  error: new ConnectorError("unavailable", "people: gone"),
};

/** A row without what a sink adds. */
const plain = ({ _observed_at, ...row }: Row): Row => row;

/** The last row of each key, by key: what is left of lines once a target has merged them. */
function merged(rows: readonly Row[]): readonly Row[] {
  const latest = new Map(rows.map((row) => [stringify(row["id"] ?? null), plain(row)]));
  const keys = [...latest.keys()].toSorted((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  return keys.map((key) => latest.get(key)!);
}

/**
 * The contract of a sink, for any of them: what `core/ports.ts` says in words.
 *
 * @param makePlace called once in each test.
 */
export function describeSink(name: string, makePlace: MakePlace, nature: Nature = {}): void {
  const { isThere = true, timeout = 20_000, cannotHold = [] } = nature;
  describe.skipIf(!isThere)(name, { timeout }, () => {
    const makeHarness = () => makePlace({ pace: "fast" });
    const rows = async (harness: Harness, of = "people") => merged(await harness.durable(of));

    test("returns a checkpoint once the rows before it are durable", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);
      const done = checkpoint("people", 1);

      const early = await sink.write(batch("people", [ada]));
      const late = [
        ...(await sink.write(batch("people", [bob], { checkpoint: done }))),
        ...(await sink.flush()),
      ];

      expect(early).toEqual([]);
      expect(late).toEqual([done]);
      expect(await rows(harness)).toEqual([ada, bob]);
    });

    test("returns every checkpoint once, oldest first", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);
      const told: Checkpoint[] = [];

      for (let minute = 0; minute < 3; minute += 1) {
        const done = checkpoint("people", minute);
        told.push(...(await sink.write(batch("people", [ada], { checkpoint: done }))));
      }
      told.push(...(await sink.flush()), ...(await sink.end(ended("people"))));
      told.push(...(await sink.flush()));

      expect(told).toEqual([0, 1, 2].map((minute) => checkpoint("people", minute)));
    });

    test("keeps batches in their order: the later version of a row wins", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);

      await sink.write(batch("people", [ada, { id: 1, name: "Ada L." }, bob]));
      await sink.write(
        batch("people", [{ id: 2, name: "Robert" }], { checkpoint: checkpoint("people") }),
      );
      await sink.flush();

      expect(await rows(harness)).toEqual([
        { id: 1, name: "Ada L." },
        { id: 2, name: "Robert" },
      ]);
    });

    test("leaves the same rows when a batch comes twice", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);
      const twice = batch("people", [ada, bob], { checkpoint: checkpoint("people") });

      await sink.write(twice);
      await sink.flush();
      const once = await rows(harness);
      await sink.write(twice);
      await sink.flush();

      expect(await rows(harness)).toEqual(once);
    });

    test("says nothing of rows after the last checkpoint when the stream fails", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);
      const done = checkpoint("people", 1);

      const told = [
        ...(await sink.write(batch("people", [ada], { checkpoint: done }))),
        ...(await sink.write(batch("people", [bob]))),
        ...(await sink.end(failed)),
        ...(await sink.flush()),
      ];

      expect(told).toEqual([done]);
      expect(await rows(harness)).toContainEqual(ada);
    });

    test("does not lose what follows the last checkpoint of a flush", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);
      await sink.write(batch("people", [ada], { checkpoint: checkpoint("people", 1) }));
      await sink.write(batch("people", [bob]));

      await sink.flush();
      await sink.write(batch("people", [cyd], { checkpoint: checkpoint("people", 2) }));
      await sink.flush();

      expect(await rows(harness)).toEqual([ada, bob, cyd]);
    });

    test("takes a checkpoint of what is no stream", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);
      const memory: Checkpoint = {
        stream: SOURCE_KEY,
        bookmark: { completedAt: null, paging: "cursor" },
      };

      const told = [
        ...(await sink.write(batch(SOURCE_KEY, [], { checkpoint: memory }))),
        ...(await sink.flush()),
      ];

      expect(told).toEqual([memory]);
    });

    test("takes a checkpoint without rows", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);
      const done = checkpoint("people");

      const told = [
        ...(await sink.write(batch("people", [], { checkpoint: done }))),
        ...(await sink.end(ended("people"))),
        ...(await sink.flush()),
      ];

      expect(told).toEqual([done]);
      expect(await harness.durable("people")).toEqual([]);
    });

    test("takes a stream again with more columns", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);
      await sink.write(batch("people", [ada]));

      await sink.declare(stream("people", { id: "integer", name: "string", age: "integer" }));
      const older = { id: 2, name: "Bob", age: 40 };
      await sink.write(batch("people", [older], { checkpoint: checkpoint("people") }));
      await sink.flush();

      const left = await rows(harness);
      expect(left[0]).toMatchObject(ada);
      expect(left[1]).toEqual(older);
    });

    test("makes nothing durable by being disposed of", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);
      await sink.write(batch("people", [ada], { checkpoint: checkpoint("people") }));
      await sink.write(batch("people", [bob]));
      const before = await harness.durable("people");

      await sink[Symbol.asyncDispose]();

      expect(await harness.durable("people")).toEqual(before);
    });

    test("can be followed by another one in the same place", async () => {
      const harness = await makeHarness();
      const first = await begun(harness, people);
      await first.write(batch("people", [ada], { checkpoint: checkpoint("people") }));
      await first.flush();
      await first[Symbol.asyncDispose]();

      const second = await begun(harness, people);
      await second.write(batch("people", [bob], { checkpoint: checkpoint("people", 1) }));
      await second.flush();

      expect(await rows(harness)).toEqual([ada, bob]);
    });

    test("keeps streams apart that take turns", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people, teams);
      const done = checkpoint("teams", 1);

      await sink.write(batch("people", [ada]));
      await sink.write(batch("teams", [{ id: 7, title: "Red" }]));
      await sink.write(batch("people", [bob]));
      const told = [
        ...(await sink.write(batch("teams", [{ id: 8, title: "Blue" }], { checkpoint: done }))),
        ...(await sink.flush()),
      ];

      expect(told).toEqual([done]);
      expect(await rows(harness, "teams")).toEqual([
        { id: 7, title: "Red" },
        { id: 8, title: "Blue" },
      ]);

      await sink.write(batch("people", [], { checkpoint: checkpoint("people", 2) }));
      await sink.flush();
      expect(await rows(harness)).toEqual([ada, bob]);
    });

    test("writes the time of observation into each row", async () => {
      const harness = await makeHarness();
      const sink = await begun(harness, people);

      await sink.write(batch("people", [ada, bob], { checkpoint: checkpoint("people") }));
      await sink.flush();

      const [first, second] = await harness.durable("people");
      expect(first).toEqual({ ...ada, _observed_at: runInfo().startedAt });
      expect(second).toEqual({ ...bob, _observed_at: runInfo().startedAt });
    });

    testDurability(makePlace, Math.max(timeout, 60_000));

    describe("keeps every value as it is:", () => {
      test.for(VALUES.filter(([what]) => !cannotHold.includes(what)))(
        "%s",
        async ([, types, ...values]) => {
          const harness = await makeHarness();
          const given = values.map((value, i): Row => ({ id: i, ...value }));
          const sink = await begun(harness, stream("people", { id: "integer", ...types }));

          await sink.write(batch("people", given, { checkpoint: checkpoint("people") }));
          await sink.flush();

          expect(await rows(harness)).toEqual(given);
        },
      );
    });
  });
}
