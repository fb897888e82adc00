import { chmod, copyFile, open, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { RECOVERY } from "../../src/core/errors.js";
import { desk, failure, folder, PEOPLE, withoutPrivileges } from "./support.js";

/** Paths at which there is no database, or another one than expected. */

const ada = { id: 1, name: "Ada" };

describe("a destination", () => {
  /** A run that must fail before anything is read. */
  const refused = async (path: string) => {
    const { loader } = await desk();
    const spoolDir = join(await folder(), "spool");
    const error = await failure(loader({ path, spoolDir }).prepare());
    expect(RECOVERY[error.kind].exitCode).toBe(7);
    expect(error.hint).toBeDefined();
    return error.message.replace(path, "<path>");
  };

  test("in a folder that does not exist is told", async () => {
    expect(await refused(join(await folder(), "none", "it.duckdb"))).toBe(
      "destination <path>: the folder does not exist or cannot be written",
    );
  });

  test("that is a folder is told", async () => {
    expect(await refused(await folder())).toBe("destination <path>: it is a folder");
  });

  test.for([
    ["text", "hello\n".repeat(5_000)],
    ["a few bytes", "hello"],
    ["SQLite's", `SQLite format 3\u0000${"\u0000".repeat(5_000)}`],
    ["empty", ""],
  ] as const)("that is another file (%s) is told, and left as it is", async ([, content]) => {
    const path = join(await folder(), "it.duckdb");
    await writeFile(path, content);

    expect(await refused(path)).toBe("destination <path>: the file is not a DuckDB database");
    expect(await readFile(path, "utf8")).toBe(content);
  });

  test("of a newer DuckDB is told", async () => {
    const { load, path } = await desk();
    await load(PEOPLE, [ada]);
    const newer = join(await folder(), "newer.duckdb");
    await copyFile(path, newer);
    await ageBy(newer, 1_000n);

    expect(await refused(newer)).toBe(
      "destination <path>: the database was written by a newer DuckDB",
    );
  });

  test("that may not be written is told", async () => {
    const { load, path } = await desk();
    await load(PEOPLE, [ada]);
    await chmod(path, 0o444);
    await chmod(dirname(path), 0o755);
    const { loader } = await desk();
    const spoolDir = await folder();
    await chmod(spoolDir, 0o777);
    withoutPrivileges();

    const error = await failure(loader({ path, spoolDir }).prepare());

    expect(error).toMatchObject({
      kind: "destination",
      message: `destination ${path}: permission denied`,
    });
  });

  test.for([":memory:", "md:people", "s3://bucket/it.duckdb", "https://example.com/it.duckdb"])(
    "that is no file (%s) is refused",
    async (path) => {
      const { loader } = await desk();

      expect(() => loader({ path })).toThrow(`destination.path: "${path}" is not a file`);
    },
  );

  test("may have any name, and any schema", async () => {
    const { load, loader } = await desk();
    const path = join(await folder(), "it's [a-z]* {x} ?100% 🦊.duckdb");

    for (const schema of ["main", 'it\'s "odd"', "it", "kb4", "temp_1", "Ünï"]) {
      await load(PEOPLE, [ada], { path, schema });
      expect((await loader({ path, schema }).readState()).bookmarks).toHaveProperty("people");
    }
  });

  test("whose name begins like somebody's home stands where it says", async () => {
    const home = await folder();
    const before = process.cwd();
    process.chdir(home);
    onTestFinished(() => process.chdir(before));
    const { loader } = await desk();
    const made = loader({ path: "~it.duckdb" });

    await made.prepare();

    expect(await made.exists()).toBe(true);
    expect((await stat(join(home, "~it.duckdb"))).isFile()).toBe(true);
  });
});

/** Raises the version in the first block of a database, and corrects the block's checksum. */
async function ageBy(path: string, versions: bigint): Promise<void> {
  const block = Buffer.alloc(4_096);
  await using file = await open(path, "r+");
  await file.read(block, 0, block.length, 0);
  block.writeBigUInt64LE(block.readBigUInt64LE(12) + versions, 12);
  let sum = 5_381n;
  for (let at = 8; at < block.length; at += 8) {
    sum ^= BigInt.asUintN(64, block.readBigUInt64LE(at) * 0xbf58476d1ce4e5b9n);
  }
  block.writeBigUInt64LE(sum, 0);
  await file.write(block, 0, block.length, 0);
}
