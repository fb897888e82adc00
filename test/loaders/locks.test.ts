import { symlink, writeFile, truncate } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { batch, checkpoint, runInfo, running } from "../protocols/singer/support.js";
import { child } from "./children.js";
import { desk, failure, folder, PEOPLE } from "./support.js";

/** Who may write, and what becomes of the others. */

const ada = { id: 1, name: "Ada" };
const NAMES = "SELECT id, name FROM people ORDER BY id";
const HELD = "destination: another run is writing to it";

describe("the lock on the spool", () => {
  test("keeps out a second run of this process, by whatever way to the folder", async () => {
    const { loader, spool } = await desk();
    const first = loader();
    await first.prepare();
    const link = join(await folder(), "link");
    await symlink(spool, link);

    const second = await failure(loader().prepare());
    const third = await failure(loader({ spoolDir: link }).prepare());
    await first[Symbol.asyncDispose]();
    await loader().prepare();

    expect(second).toMatchObject({ kind: "locked", message: HELD });
    expect(third).toMatchObject({ kind: "locked", message: HELD });
  });

  test("keeps out another process, both ways, until it is killed", async () => {
    const { loader, path } = await desk();
    const other = child(["spool", path]);
    await other.next();

    const early = await failure(loader().prepare());
    await other.kill();
    await using mine = loader();
    await mine.prepare();
    const late = await child(["load", path]).next();

    expect(early).toMatchObject({ kind: "locked", message: HELD });
    expect(late).toMatchObject({ kind: "locked", message: HELD });
  });

  test("is held until disposal, and not given up by a failed commit", async () => {
    const { opened, loader, change, load } = await desk();
    await load(PEOPLE, [ada]);
    await using first = await opened();
    await change("ALTER TABLE people DROP COLUMN _kb4_row_hash");
    await first.declare(PEOPLE);
    await first.write(batch("people", [ada], { checkpoint: checkpoint("people") }));
    await failure(first.flush());

    expect(await failure(loader().prepare())).toMatchObject({ kind: "locked" });
  });

  test.for([0, 100, 4_095, 4_096, 8_192])(
    "is made again if a crash left only %d bytes of it",
    async (bytes) => {
      const { load, spool, query } = await desk();
      await load(PEOPLE, [ada]);
      await truncate(join(spool, "lock.duckdb"), bytes);

      await load(PEOPLE, [{ id: 2, name: "Bob" }]);

      expect(await query(NAMES)).toHaveLength(2);
    },
  );

  test("is made again if it is another file", async () => {
    const { load, spool, query } = await desk();
    await load(PEOPLE, [ada]);
    await writeFile(join(spool, "lock.duckdb"), "something else".repeat(1_000));

    await load(PEOPLE, [ada]);

    expect(await query(NAMES)).toEqual([ada]);
  });
});

describe("the fence", () => {
  test("refuses a commit after another run's that does not share its spool", async () => {
    const { opened, path, query, waiting } = await desk();
    const first = await opened();
    const second = await opened({ spoolDir: join(path, "..", "elsewhere") });
    for (const [i, loader] of [first, second].entries()) {
      await loader.declare(PEOPLE);
      const row = { id: i, name: "x" };
      await loader.write(batch("people", [row], { checkpoint: checkpoint("people", i) }));
    }

    await second.flush();
    const before = await query("FROM _kb4_state ORDER BY ALL");
    const error = await failure(first.flush());

    expect(error).toMatchObject({
      kind: "locked",
      message: "destination: another run has committed meanwhile",
    });
    expect(error.hint).toContain("run again");
    expect(await query(NAMES)).toEqual([{ id: 1, name: "x" }]);
    expect(await query("FROM _kb4_state ORDER BY ALL")).toEqual(before);
    expect(await query("SELECT count(*)::INT AS n FROM _kb4_loads")).toEqual([{ n: 1 }]);
    await first[Symbol.asyncDispose]();
    expect(await waiting()).toHaveLength(1);
  });

  test("drops what it refused at the next run, which starts from the newer state", async () => {
    const { opened, loader, path, query, waiting } = await desk();
    const first = await opened();
    await first.declare(PEOPLE);
    await first.write(batch("people", [ada], { checkpoint: checkpoint("people", 1) }));
    const second = await opened({ spoolDir: join(path, "..", "elsewhere") });
    await second.declare(PEOPLE);
    await second.write(batch("people", [], { checkpoint: checkpoint("people", 2) }));
    await second.flush();
    await failure(first.flush());
    await first[Symbol.asyncDispose]();

    const next = loader();
    await next.prepare();

    expect(await waiting()).toEqual([]);
    expect(await query(NAMES)).toEqual([]);
    expect((await next.readState()).bookmarks["people"]).toEqual(checkpoint("people", 2).bookmark);
  });

  test("refuses a later commit of a run as well as its first", async () => {
    const { opened, path, query } = await desk();
    const first = await opened();
    await first.declare(PEOPLE);
    await first.write(batch("people", [ada], { checkpoint: checkpoint("people", 1) }));
    await first.flush();
    const second = await opened({ spoolDir: join(path, "..", "elsewhere") });
    await second.declare(PEOPLE);
    await second.write(batch("people", [], { checkpoint: checkpoint("people", 2) }));
    await second.flush();

    await first.write(
      batch("people", [{ id: 2, name: "Bob" }], { checkpoint: checkpoint("people", 3) }),
    );
    const error = await failure(first.flush());

    expect(error.kind).toBe("locked");
    expect(await query(NAMES)).toEqual([ada]);
  });

  test("lets pipelines pass each other", async () => {
    const { opened, path, query } = await desk();
    const first = await opened();
    const other = { pipeline: "other", spoolDir: join(path, "..", "elsewhere") };
    const second = await opened(other);
    for (const [i, loader] of [first, second, first].entries()) {
      await loader.declare(PEOPLE);
      const row = { id: i, name: "x" };
      await loader.write(batch("people", [row], { checkpoint: checkpoint("people", i) }));
      await loader.flush();
    }

    expect(await query(NAMES)).toHaveLength(3);
  });
});

test("a loader that was never used can be disposed of", async () => {
  const { loader, waiting } = await desk();

  await loader()[Symbol.asyncDispose]();

  expect(await waiting()).toEqual([]);
});

test("a loader that has to be opened first says so", async () => {
  const { loader } = await desk();
  const made = loader();

  expect(await failure(made.write(batch("people", [ada])))).toMatchObject({ kind: "internal" });
  expect(await failure(made.flush())).toMatchObject({ kind: "internal" });
  await made.open(runInfo(), running());
  const error = await failure(made.write(batch("people", [ada])));
  expect(error).toMatchObject({
    kind: "internal",
    message: "people: rows before the stream was declared",
  });
});
