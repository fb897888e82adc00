import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { describe, expect, test } from "vitest";

import { failure as faultOf } from "../../src/loaders/duckdb/failure.js";
import { openDuckDb } from "../../src/loaders/duckdb/index.js";
import { batch, checkpoint } from "../protocols/singer/support.js";
import { child } from "./children.js";
import { desk, failure, folder, PEOPLE, withoutPrivileges } from "./support.js";

/** Disks, folders and files that are not as they should be. */

const ada = { id: 1, name: "Ada" };
const NAMES = "SELECT id, name FROM people ORDER BY id";

describe("a disk that is full", () => {
  test("while rows are spooled ends the run and leaves nothing behind", async () => {
    const { path, load, query, waiting } = await desk();
    await load(PEOPLE, [ada]);

    const said = await child(["fill", path], "ulimit -f 8192").next();

    expect(said).toEqual({
      kind: "destination",
      message: "destination: spool folder: the file may not grow further",
      hint: expect.stringContaining("make room"),
      left: 0,
    });
    expect(await query("FROM _kb4_loads")).toHaveLength(1);
    expect(await waiting()).toEqual([]);
  });

  test("while a load is committed leaves it for the next run", async () => {
    const { path, loader, query, waiting } = await desk();
    const filler = child(["fill", path, "append", "commits"], "ulimit -f 8192");
    const said: unknown[] = [];
    while (typeof (said[0] ?? 0) === "number") said.unshift(await filler.next());
    const [fault, ...commits] = said;

    expect(fault).toEqual({
      kind: "destination",
      message: `destination ${path}: the disk is full`,
      hint: expect.stringContaining("rows that were read wait in the spool"),
      left: 1,
    });
    expect(commits.length).toBeGreaterThan(1);
    const count = "SELECT count(*)::INT AS n FROM numbers";
    expect(await query(count)).toEqual([{ n: commits.length }]);

    await loader({ mode: "append" }).prepare();

    expect(await query(count)).toEqual([{ n: commits.length + 1 }]);
    expect(await waiting()).toEqual([]);
  });
});

describe("the spool", () => {
  test("is for its owner alone", async () => {
    const { opened, spool, waiting } = await desk();
    const loader = await opened({ commitBytes: 1 });
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [ada]));
    const modes: string[] = [];
    const look = async (path: string) => {
      modes.push(((await stat(path)).mode & 0o777).toString(8));
    };
    const [load] = await waiting();

    await look(spool);
    await look(join(spool, load!));
    await look(join(spool, load!, "1.ndjson"));

    expect(modes).toEqual(["700", "700", "600"]);
  });

  test("keeps its manifest for its owner alone", async () => {
    const { opened, change, spool, waiting } = await desk();
    const loader = await opened();
    await change("CREATE VIEW people AS SELECT 1 AS id");
    await loader.declare(PEOPLE);
    await loader.write(batch("people", [ada], { checkpoint: checkpoint("people") }));
    await failure(loader.flush());
    await loader[Symbol.asyncDispose]();
    const [load] = await waiting();

    const { mode } = await stat(join(spool, load!, "manifest.json"));

    expect((mode & 0o777).toString(8)).toBe("600");
  });

  test("that may not be written is told before anything is read", async () => {
    const { loader, spool } = await desk();
    await mkdir(spool);
    await chmod(spool, 0o500);
    await chmod(dirname(spool), 0o755);
    withoutPrivileges();

    const error = await failure(loader({ spoolDir: join(spool, "deeper") }).prepare());

    expect(error).toMatchObject({
      kind: "destination",
      message: "destination: spool folder: permission denied",
    });
    expect(error.hint).toContain("destination.spool_dir");
  });

  test("that stands but may not be written is told likewise", async () => {
    const { loader, spool } = await desk();
    await mkdir(spool);
    await chmod(spool, 0o555);
    await chmod(dirname(spool), 0o755);
    withoutPrivileges();

    const error = await failure(loader().prepare());

    expect(error).toMatchObject({ kind: "destination" });
    expect(error.message).toContain("permission denied");
    expect(error.hint).toContain("destination.spool_dir");
  });

  test("below a file is told", async () => {
    const { loader } = await desk();
    const file = join(await folder(), "file");
    await writeFile(file, "");

    const error = await failure(loader({ spoolDir: join(file, "spool") }).prepare());

    expect(error).toMatchObject({
      kind: "destination",
      message: "destination: spool folder: a file stands where a folder should be",
    });
  });

  test("may have any name", async () => {
    const { load, path, query } = await desk();
    const spoolDir = join(path, "..", "it's [a-z]* {x} ?100% 🦊");

    await load(PEOPLE, [ada], { spoolDir });

    expect(await query(NAMES)).toEqual([ada]);
  });
});

test("too little memory is told with the setting that gives more", async () => {
  const { opened } = await desk();
  const loader = await opened({ memoryLimit: "4MB", mode: "append" });
  await loader.declare(PEOPLE);
  const name = "x".repeat(6_000_000);
  await loader.write(batch("people", [{ id: 1, name }], { checkpoint: checkpoint("people") }));

  const error = await failure(loader.flush());

  expect(error).toMatchObject({ kind: "destination" });
  expect(error.message).toContain("the memory limit is too low for this load");
  expect(error.hint).toBe("raise destination.memory_limit");
});

test("what DuckDB says is repeated only where it names no value", () => {
  const told = (text: string) => faultOf("it.duckdb", "reading", new Error(text)).message;

  expect(told('Catalog Error: Table with name "x" does not exist!\nDid you mean y?')).toBe(
    'destination it.duckdb: reading failed: Catalog Error: Table with name "x" does not exist!',
  );
  expect(told("Conversion Error: Could not convert 'ada@example.com' to INT64")).toBe(
    "destination it.duckdb: reading failed: Conversion Error",
  );
  expect(told("ada@example.com")).toBe("destination it.duckdb: reading failed: unknown fault");
});

test("a loader touches nothing before it is used", async () => {
  const { path, spool, clock } = await desk();

  openDuckDb({
    path,
    schema: "knowbe4",
    memoryLimit: "128MB",
    pipeline: "knowbe4",
    strangers: [],
    mode: "merge",
    clock,
    random: () => 0,
    emit: () => undefined,
    toolVersion: "0",
  });

  await expect(stat(path)).rejects.toThrow("ENOENT");
  await expect(stat(spool)).rejects.toThrow("ENOENT");
});
