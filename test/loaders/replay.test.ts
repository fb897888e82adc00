import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { ConnectorError } from "../../src/core/errors.js";
import { commitPackage } from "../../src/loaders/commit.js";
import type { Statement } from "../../src/loaders/dialect.js";
import { duckDbWarehouse } from "../../src/loaders/duckdb/warehouse.js";
import { readManifest } from "../../src/loaders/manifest.js";
import type { Warehouse } from "../../src/loaders/warehouse.js";
import { batch, checkpoint, runInfo, running } from "../protocols/singer/support.js";
import { desk, failure, PEOPLE, type Desk } from "./support.js";

/** What becomes of loads that a run has left in the spool, however it ended. */

const ada = { id: 1, name: "Ada" };
const bob = { id: 2, name: "Bob" };
const NAMES = "SELECT id, name FROM people ORDER BY id";
const BOOKMARK = "SELECT version, state FROM _kb4_state WHERE stream = 'people'";

const broken = new ConnectorError("destination", "the plug was pulled");

/** A warehouse with a transaction of another kind. */
function transacting(
  transact: (
    statements: readonly Statement[],
    session: { readonly transact: (statements: readonly Statement[]) => Promise<void> },
  ) => Promise<void>,
) {
  return (real: Warehouse): Warehouse => ({
    ...real,
    open: async (use) => {
      const session = await real.open(use);
      return {
        ...session,
        transact: (statements, loadId) =>
          transact(statements, { transact: (some) => session.transact(some, loadId) }),
      };
    },
  });
}

const PULLED = transacting(async () => {
  throw broken;
});

/** A run that seals a load and cannot commit it. */
async function sealed(
  { over }: Desk,
  row = bob,
  { pipeline = "knowbe4", mode = "merge" }: { pipeline?: string; mode?: "merge" | "append" } = {},
): Promise<void> {
  await using loader = over(PULLED, { pipeline, mode });
  await loader.open(runInfo(), running());
  await loader.declare(PEOPLE);
  await loader.write(batch("people", [row], { checkpoint: checkpoint("people", 5) }));
  expect(await failure(loader.flush())).toBe(broken);
}

test("a load that was sealed and not committed is committed by the next run, once", async () => {
  const given = await desk();
  await given.load(PEOPLE, [ada]);
  await sealed(given);
  const before = await given.query(NAMES);

  const told = await given.load(PEOPLE, [{ id: 3, name: "Cyd" }]);

  expect(before).toEqual([ada]);
  expect(told).toEqual([checkpoint("people")]);
  expect(await given.query(NAMES)).toEqual([ada, bob, { id: 3, name: "Cyd" }]);
  expect(await given.query("SELECT count(*)::INT AS n FROM _kb4_loads")).toEqual([{ n: 3 }]);
  expect(given.warnings()).toEqual(["committed 1 rows that an earlier run had left"]);
  expect(await given.waiting()).toEqual([]);
});

test("its state is there for the run that commits it", async () => {
  const given = await desk();
  await sealed(given);

  const next = given.loader();
  await next.prepare();

  expect((await next.readState()).bookmarks["people"]).toEqual(checkpoint("people", 5).bookmark);
});

test("a first load of all is recovered like any other", async () => {
  const given = await desk();
  await sealed(given);

  await given.loader().prepare();

  expect(await given.query(NAMES)).toEqual([bob]);
  expect(await given.query(BOOKMARK)).toEqual([
    { version: 1, state: checkpoint("people", 5).bookmark },
  ]);
});

test("a table that a sealed load was appended to is not merged into by the run that commits it", async () => {
  const given = await desk();
  await sealed(given, bob, { mode: "append" });
  const loader = given.loader();
  await loader.prepare();

  const error = await failure(loader.declare(PEOPLE));

  expect(error.message).toMatch(/^people: the table was loaded in mode append /);
  expect(await given.query(NAMES)).toEqual([bob]);
});

test("a crash between the commit and the removal of its folder commits nothing twice", async () => {
  const given = await desk();
  const { spool } = given;
  const aside = join(spool, "aside");
  const loader = given.over(
    transacting(async (statements, session) => {
      const [load] = await given.waiting().then((names) => names.toSorted());
      await cp(join(spool, load!), join(aside, load!), { recursive: true });
      await session.transact(statements);
    }),
    { mode: "append" },
  );
  await loader.open(runInfo(), running());
  await loader.declare(PEOPLE);
  await loader.write(batch("people", [ada], { checkpoint: checkpoint("people", 5) }));
  await loader.flush();
  await loader[Symbol.asyncDispose]();
  const [load] = await readdir(aside);
  await cp(join(aside, load!), join(spool, load!), { recursive: true });

  await given.loader({ mode: "append" }).prepare();

  expect(await given.query(NAMES)).toEqual([ada]);
  expect(await given.query("SELECT count(*)::INT AS n FROM _kb4_loads")).toEqual([{ n: 1 }]);
  expect(await given.waiting()).toEqual([]);
  expect(given.warnings()).toEqual([]);
});

test("a load that is there already is not committed again, whatever the state says", async () => {
  const given = await desk();
  await sealed(given);
  const [name] = await given.waiting();
  const manifest = await readManifest(join(given.spool, name!));
  const { path } = given;
  const tempDir = join(given.spool, "tmp");
  const real = duckDbWarehouse({ path, schema: "knowbe4", memoryLimit: "128MB", tempDir });
  const record = {
    ...manifest!,
    committedAt: "2026-06-01T00:00:00.000Z",
    toolVersion: "0.0.0-test",
  };

  for (let twice = 0; twice < 2; twice += 1) {
    await commitPackage(real, () => real.open("write"), manifest!, record, {
      widened: new Set(),
      maxVanishedRatio: 1,
    });
  }

  expect(await given.query("SELECT count(*)::INT AS n FROM _kb4_loads")).toEqual([{ n: 1 }]);
  expect(await given.query(BOOKMARK)).toMatchObject([{ version: 1 }]);
});

test("a commit whose answer was lost is looked for, not done again", async () => {
  const given = await desk();
  const loader = given.over(
    transacting(async (statements, session) => {
      await session.transact(statements);
      throw broken;
    }),
  );
  await loader.open(runInfo(), running());
  await loader.declare(PEOPLE);
  await loader.write(batch("people", [ada], { checkpoint: checkpoint("people", 5) }));

  const told = await loader.flush();

  expect(told).toEqual([checkpoint("people", 5)]);
  expect(await given.query(NAMES)).toEqual([ada]);
});

test("nothing remains of a transaction that breaks off at any of its statements", async () => {
  const given = await desk();
  await given.load(PEOPLE, [ada]);
  const tables = ["people", "_kb4_state", "_kb4_loads", "_kb4_rejects"];
  const all = () => Promise.all(tables.map((table) => given.query(`FROM ${table} ORDER BY ALL`)));
  const before = await all();

  for (let at = 0; at < 8; at += 1) {
    await using loader = given.over(
      transacting((statements, session) =>
        session.transact([
          ...statements.slice(0, at),
          { purpose: "breaking off", sql: "SELECT error('broken off')" },
        ]),
      ),
    );
    await rm(given.spool, { recursive: true });
    await loader.open(runInfo(), running());
    await loader.declare({ ...PEOPLE, description: `All people, ${String(at)}.` });
    const rejects = [{ reason: "no", raw: 1 }];
    const done = checkpoint("people", 9);
    await loader.write(batch("people", [ada, bob], { rejects, checkpoint: done }));
    const error = await failure(loader.flush());

    expect(error.message).toContain("breaking off failed");
    expect(await all()).toEqual(before);
  }
});

describe("in the spool", () => {
  test("what was never sealed is cleared away", async () => {
    const given = await desk();
    const loader = await given.opened();
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [ada], { checkpoint: checkpoint("people") }));
    const [name] = await given.waiting();
    const aside = join(given.path, "..", "aside");
    await cp(join(given.spool, name!), aside, { recursive: true });
    await loader[Symbol.asyncDispose]();
    expect(await given.waiting()).toEqual([]);
    await cp(aside, join(given.spool, name!), { recursive: true });
    await writeFile(join(given.spool, name!, "manifest.json.draft"), "{");

    await given.loader().prepare();

    expect(await given.waiting()).toEqual([]);
    expect(await given.query("FROM _kb4_loads")).toEqual([]);
  });

  test("a load that follows an older state is cleared away", async () => {
    const given = await desk();
    await sealed(given);
    const [name] = await given.waiting();
    const aside = join(given.path, "..", "aside");
    await cp(join(given.spool, name!), aside, { recursive: true });
    await rm(given.spool, { recursive: true });
    await given.load(PEOPLE, [ada]);
    await given.load(PEOPLE, [ada]);
    await cp(aside, join(given.spool, name!), { recursive: true });

    await given.loader().prepare();

    expect(await given.query(NAMES)).toEqual([ada]);
    expect(await given.waiting()).toEqual([]);
    expect(given.warnings()).toEqual([]);
  });

  test("a load of another pipeline is left for that one", async () => {
    const given = await desk();
    await sealed(given, bob, { pipeline: "other" });

    await using mine = given.loader();
    await mine.prepare();
    const waiting = await given.waiting();
    await mine[Symbol.asyncDispose]();
    await given.loader({ pipeline: "other" }).prepare();

    expect(waiting).toHaveLength(1);
    expect(await given.query(NAMES)).toEqual([bob]);
    expect(await given.waiting()).toEqual([]);
  });

  test("what is not a load is left alone", async () => {
    const given = await desk();
    const own = join(given.spool, "mine");
    const alike = join(given.spool, "abcdefghijklmnopqrs");
    await mkdir(own, { recursive: true });
    await mkdir(alike);
    await writeFile(join(own, "a.txt"), "mine");
    await writeFile(join(alike, "a.txt"), "mine");
    await writeFile(join(given.spool, "0000000000000000000"), "a file");

    await given.load(PEOPLE, [ada]);
    await given.loader().prepare();

    expect(await readFile(join(own, "a.txt"), "utf8")).toBe("mine");
    expect(await readFile(join(alike, "a.txt"), "utf8")).toBe("mine");
    expect(await readFile(join(given.spool, "0000000000000000000"), "utf8")).toBe("a file");
  });

  test("a load that was moved together with its spool is committed", async () => {
    const given = await desk();
    await sealed(given);
    const moved = join(given.path, "..", "moved");
    await cp(given.spool, moved, { recursive: true });
    await rm(given.spool, { recursive: true });

    await given.loader({ spoolDir: moved }).prepare();

    expect(await given.query(NAMES)).toEqual([bob]);
  });

  test("a load that lost lines is refused, and so is every later run until it is gone", async () => {
    const given = await desk();
    await sealed(given);
    const [name] = await given.waiting();
    await writeFile(join(given.spool, name!, "1.ndjson"), "");

    const error = await failure(given.loader().prepare());

    expect(error).toMatchObject({
      kind: "destination",
      message: "people: 0 of 1 spooled rows arrived",
    });
    expect(await given.query("FROM _kb4_loads")).toEqual([]);
  });
});
