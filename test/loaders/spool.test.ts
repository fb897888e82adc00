import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { Loader } from "../../src/loaders/loader.js";
import { SpoolFile } from "../../src/loaders/spool.js";
import { ConnectorError } from "../../src/core/errors.js";
import { ProofBook } from "../../src/core/proof.js";
import type { Row } from "../../src/core/record.js";
import type { Session, Warehouse } from "../../src/loaders/warehouse.js";
import { batch, checkpoint, ended, runInfo, running } from "../protocols/singer/support.js";
import { desk, failure, folder, PEOPLE, stream } from "./support.js";

/** When rows are committed, and what is kept until then. */

const COUNT = "SELECT count(*)::INT AS n FROM people";
const MINUTE = 60_000;

const people = (from: number, to: number, length = 10): readonly Row[] =>
  Array.from({ length: to - from }, (_, i) => ({ id: from + i, name: "x".repeat(length) }));

/** A warehouse that waits before each commit, or fails then. */
function held() {
  let release: (error?: Error) => void = () => undefined;
  const released = new Promise<Error | undefined>((resolve) => {
    release = resolve;
  });
  const slow = (real: Warehouse): Warehouse => ({
    ...real,
    open: async (use) => {
      const session = await real.open(use);
      const transact: Session["transact"] = async (statements, loadId) => {
        const error = await released;
        if (error !== undefined) throw error;
        await session.transact(statements, loadId);
      };
      return { ...session, transact };
    },
  });
  return {
    slow,
    release: (error?: Error) => {
      release(error);
    },
  };
}

describe("a commit is made", () => {
  test("whenever enough rows are safe, and covers the checkpoints before it", async () => {
    const { opened, query, events } = await desk();
    const loader = await opened({ commitBytes: 100_000 });
    await loader.declare(PEOPLE);
    const told: unknown[] = [];

    for (let i = 0; i < 6; i += 1) {
      const rows = people(i * 10, i * 10 + 10, 4_000);
      const made = { checkpoint: checkpoint("people", i) };
      told.push(...(await loader.write(batch("people", rows, made))));
    }
    told.push(...(await loader.flush()));

    expect(told).toEqual([0, 1, 2, 3, 4, 5].map((minute) => checkpoint("people", minute)));
    expect(await query(COUNT)).toEqual([{ n: 60 }]);
    expect(events).toEqual([
      { type: "committed", rows: 30 },
      { type: "committed", rows: 30 },
    ]);
  });

  test("not for rows that no checkpoint covers, however many", async () => {
    const { opened, query, events } = await desk();
    const loader = await opened({ commitBytes: 1_000 });
    await loader.declare(PEOPLE);

    for (let i = 0; i < 5; i += 1) await loader.write(batch("people", people(i, i + 1, 4_000)));
    const before = events.length;
    await loader.write(batch("people", [], { checkpoint: checkpoint("people") }));
    await loader.end(ended("people"));
    await loader[Symbol.asyncDispose]();

    expect(before).toBe(0);
    expect(await query(COUNT)).toEqual([{ n: 5 }]);
  });

  test("with the first batch after five minutes, and then after five more", async () => {
    const { opened, clock, events } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);

    for (let minute = 0; minute < 12; minute += 1) {
      const row = { id: minute, name: "x" };
      await loader.write(batch("people", [row], { checkpoint: checkpoint("people", minute) }));
      clock.advance(MINUTE);
    }
    await loader[Symbol.asyncDispose]();

    expect(events).toEqual([
      { type: "committed", rows: 5 },
      { type: "committed", rows: 5 },
    ]);
  });

  test("after as long as it is told, at the end of a stream too", async () => {
    const { opened, clock, events, query } = await desk();
    const loader = await opened({ commitMs: 1_000 });
    await loader.declare(PEOPLE);
    await loader.write(batch("people", people(0, 1), { checkpoint: checkpoint("people") }));
    clock.advance(999);
    await loader.end(ended("people"));
    const early = events.length;
    clock.advance(1);
    await loader.end(ended("people"));
    await loader[Symbol.asyncDispose]();

    expect(early).toBe(0);
    expect(await query(COUNT)).toEqual([{ n: 1 }]);
  });

  test("while the next rows are taken, and told of when it is over", async () => {
    const { slow, release } = held();
    const { over, query } = await desk();
    const loader = over(slow, { commitBytes: 1 });
    await loader.open(runInfo(), running());
    await loader.declare(PEOPLE);

    const first = await loader.write(
      batch("people", people(0, 1), { checkpoint: checkpoint("people", 0) }),
    );
    const during = await loader.write(batch("people", people(1, 2)));
    release();
    const after = await loader.flush();

    expect([first, during, after]).toEqual([[], [], [checkpoint("people", 0)]]);
    await loader[Symbol.asyncDispose]();
    expect(await query(COUNT)).toEqual([{ n: 1 }]);
  });

  const next = batch("people", people(1, 2), { checkpoint: checkpoint("people", 1) });
  test.each<[string, (loader: Loader) => Promise<unknown>]>([
    ["a flush", (loader) => loader.flush()],
    ["the next commit", (loader) => loader.write(next).then(() => loader.end(ended("people")))],
    ["disposal", (loader) => loader[Symbol.asyncDispose]()],
  ])("and if it fails, %s says so", async (_name, call) => {
    const { slow, release } = held();
    const { over } = await desk();
    const loader = over(slow, { commitBytes: 1 });
    await loader.open(runInfo(), running());
    await loader.declare(PEOPLE);
    await loader.write(batch("people", people(0, 1), { checkpoint: checkpoint("people", 0) }));
    await loader.end(ended("people"));

    release(new ConnectorError("destination", "the cable was cut"));
    const told = await failure(call(loader));

    expect(told.message).toBe("the cable was cut");
    await loader[Symbol.asyncDispose]();
  });

  test("with the proof of the stream that made it due", async () => {
    const { opened, query } = await desk();
    const loader = await opened({ commitBytes: 1 });
    await loader.declare(PEOPLE);

    await loader.write(batch("people", people(0, 1), { checkpoint: checkpoint("people") }));
    await loader.end({ ...ended("people"), proof: new ProofBook().proof });
    await loader.flush();
    await loader[Symbol.asyncDispose]();

    const loads = "SELECT rows_staged::INT AS n, proof IS NOT NULL AS proved FROM _kb4_loads";
    expect(await query(loads)).toEqual([{ n: 1, proved: true }]);
  });

  test("by the clock that nobody can set", async () => {
    const { opened, clock } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    clock.setWall(clock.now() + 60 * MINUTE);

    const rows = people(0, 1);
    const told = await loader.write(batch("people", rows, { checkpoint: checkpoint("people") }));

    expect(told).toEqual([]);
  });
});

describe("rows after the last checkpoint", () => {
  test("wait over as many commits as there are, each once", async () => {
    const { opened, query } = await desk();
    const teams = stream("teams", { id: "integer" });
    const loader = await opened({ mode: "append" });
    await loader.declare(PEOPLE);
    await loader.declare(teams);

    for (let i = 0; i < 3; i += 1) {
      await loader.write(batch("people", people(i * 100, i * 100 + 100, 5_000)));
      await loader.write(batch("teams", [{ id: i }], { checkpoint: checkpoint("teams", i) }));
      expect(await loader.flush()).toEqual([checkpoint("teams", i)]);
    }
    await loader.write(batch("people", [], { checkpoint: checkpoint("people") }));
    await loader.flush();

    const found = "SELECT count(*)::INT AS n, count(DISTINCT id)::INT AS ids FROM people";
    expect(await query(found)).toEqual([{ n: 300, ids: 300 }]);
  });

  test("are dropped when their stream fails, and those before it kept", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    await loader.write(batch("people", people(0, 5), { checkpoint: checkpoint("people") }));
    await loader.write(batch("people", people(5, 5_000, 100)));

    const error = new ConnectorError("unavailable", "people: gone");
    await loader.end({ ...ended("people"), status: "failed", error });
    const told = await loader.flush();

    expect(told).toEqual([checkpoint("people")]);
    expect(await query(COUNT)).toEqual([{ n: 5 }]);
  });

  test("take no more room on the disk once their stream has failed", async () => {
    const { opened, spool, waiting } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    await loader.write(batch("people", people(0, 5_000, 100)));
    const [load] = await waiting();
    const size = async () => (await stat(join(spool, load!, "1.ndjson"))).size;
    const before = await size();

    await loader.end({ ...ended("people"), status: "failed" });

    expect(before).toBeGreaterThan(500_000);
    expect(await size()).toBe(0);
  });

  test("are dropped although a commit has already carried them over", async () => {
    const { opened, query } = await desk();
    const loader = await opened();
    await loader.declare(PEOPLE);
    await loader.write(batch("people", people(0, 5), { checkpoint: checkpoint("people") }));
    await loader.write(batch("people", people(5, 10)));
    await loader.flush();

    await loader.end({ ...ended("people"), status: "failed" });
    await loader.flush();

    expect(await query(COUNT)).toEqual([{ n: 5 }]);
  });
});

test("a row longer than DuckDB would read by itself goes in like any other", async () => {
  const { load, query } = await desk();
  const name = `${"🦊".repeat(9_000_000)}end`;

  await load(
    PEOPLE,
    [
      { id: 1, name: "short" },
      { id: 2, name },
      { id: 3, name: "short" },
    ],
    { memoryLimit: "256MB" },
  );

  expect(await query("SELECT id, strlen(name)::INT AS bytes FROM people ORDER BY id")).toEqual([
    { id: 1, bytes: 5 },
    { id: 2, bytes: 36_000_003 },
    { id: 3, bytes: 5 },
  ]);
});

test("many more rows than the memory limit go in", async () => {
  const { opened, query } = await desk();
  const loader = await opened({ memoryLimit: "128MB", commitBytes: 1e9 });
  await loader.declare(PEOPLE);
  for (let i = 0; i < 60; i += 1) {
    const rows = Array.from({ length: 1_000 }, (_, k) => ({
      id: i * 1_000 + k,
      name: String(Math.random()).repeat(120),
    }));
    await loader.write(batch("people", rows));
  }
  await loader.write(batch("people", [], { checkpoint: checkpoint("people") }));

  await loader.flush();

  expect(await query(COUNT)).toEqual([{ n: 60_000 }]);
});

describe("a spool file", () => {
  const spoolFile = async () => {
    const path = join(await folder(), "1.ndjson");
    const file = await SpoolFile.create(path);
    return { file, text: () => readFile(path, "utf8") };
  };

  test("goes on after a cut where the last mark was", async () => {
    const { file, text } = await spoolFile();
    file.add("a");
    await file.mark();
    file.add("b");
    await file.drain();
    file.add("c");

    await file.cut();
    file.add("d");
    await file.mark();
    await file.seal();

    expect(await text()).toBe("a\nd\n");
    expect(file.safe).toEqual({ rows: 2, bytes: 4 });
  });

  test("moves what follows its last mark, written or not, behind another one's", async () => {
    const { file, text } = await spoolFile();
    const other = await spoolFile();
    other.file.add("z");
    file.add("a");
    await file.mark();
    file.add("é".repeat(2_000_000));
    await file.drain();
    file.add("c");

    await file.moveTail(other.file);
    await file.seal();
    await other.file.mark();
    await other.file.seal();

    expect(await text()).toBe("a\n");
    expect(await other.text()).toBe(`z\n${"é".repeat(2_000_000)}\nc\n`);
    expect(other.file.safe.rows).toBe(3);
    expect(other.file.longest).toBe(4_000_000);
  });

  test("asks to be drained after a quarter of a mebibyte", async () => {
    const { file } = await spoolFile();
    const line = "x".repeat(1_023);
    const asked = Array.from({ length: 256 }, () => file.add(line));
    await file.drain();

    expect(asked.slice(0, 255)).not.toContain(true);
    expect(asked[255]).toBe(true);
    expect(file.add(line)).toBe(false);
    await file.close();
  });

  test("is never taken for one that is there already", async () => {
    const path = join(await folder(), "1.ndjson");
    const first = await SpoolFile.create(path);

    const error = await failure(SpoolFile.create(path));
    await first.close();

    expect(error).toMatchObject({
      kind: "destination",
      message: "destination: spool folder: EEXIST",
    });
  });
});
