import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { batch, checkpoint, ended, runInfo, running } from "../../protocols/singer/support.js";
import { failure, PEOPLE, stream } from "../support.js";
import { jsonlDesk } from "./support.js";

/** A folder of files as a destination: what stands in it after a commit, and after none. */

const ada = { id: 1, name: "Ada" };
const bob = { id: 2, name: "Bob" };
const names = (rows: readonly { readonly [name: string]: unknown }[]) => rows.map((r) => r["name"]);

test("merge leaves one row per key, and untouched what did not change", async () => {
  const { load, rows, files } = await jsonlDesk();
  await load(PEOPLE, [ada, bob]);
  const [first] = await rows("people");

  await load(PEOPLE, [ada, { id: 2, name: "Robert" }, { id: 3, name: "Cyd" }]);

  const now = await rows("people");
  expect(names(now)).toEqual(["Ada", "Robert", "Cyd"]);
  expect(now[0]).toEqual(first);
  expect((await files()).filter((name) => name.startsWith("people"))).toHaveLength(1);
});

test("a load in which nothing changed leaves the file alone", async () => {
  const { load, catalogue, files, rows } = await jsonlDesk();
  await load(PEOPLE, [ada, bob]);
  const before = (await catalogue()).tables["people"];

  await load(PEOPLE, [bob, ada]);

  expect((await catalogue()).tables["people"]).toEqual(before);
  expect(await files()).toContain(before!.files[0]);
  const loads = await rows("_kb4_loads");
  expect(loads.map((load) => load["rows_written"])).toEqual([2, 0]);
});

test("append keeps every version, replace only those of the last load", async () => {
  const appended = await jsonlDesk();
  const replaced = await jsonlDesk();
  for (const rows of [[ada, bob], [{ id: 1, name: "Ada L." }]]) {
    await appended.load(PEOPLE, rows, { mode: "append" });
    await replaced.load(PEOPLE, rows, { mode: "replace" });
  }

  expect(names(await appended.rows("people"))).toEqual(["Ada", "Bob", "Ada L."]);
  expect(names(await replaced.rows("people"))).toEqual(["Ada L."]);
  expect((await replaced.files()).filter((name) => name.startsWith("people"))).toHaveLength(1);
});

test("keys beyond 2^53 are different rows", async () => {
  const { load, rows } = await jsonlDesk();

  await load(PEOPLE, [
    { id: 2n ** 53n, name: "even" },
    { id: 2n ** 53n + 1n, name: "odd" },
  ]);

  expect(names(await rows("people"))).toEqual(["even", "odd"]);
});

test("a key of two columns is not the same text cut elsewhere", async () => {
  const { load, rows } = await jsonlDesk();
  const pairs = stream("pairs", { a: "string", b: "string" }, { primaryKey: ["b", "a"] });

  await load(pairs, [
    { a: "x,y", b: "z" },
    { a: "x", b: 'y","z' },
    { b: "z", a: "x,y" },
  ]);

  expect(await rows("pairs")).toHaveLength(2);
});

test("a load that died before its manifest is committed once by the next run", async () => {
  const { loader, load, path, rows, catalogue } = await jsonlDesk();
  await load(PEOPLE, [ada]);
  // A folder stands where the draft would be written: the last step before the commit fails.
  await mkdir(join(path, "manifest.json.draft"));
  const dying = loader();
  await dying.open(runInfo(), running());
  await dying.declare(PEOPLE);
  await dying.write(batch("people", [bob], { checkpoint: checkpoint("people", 1) }));
  await dying.end(ended("people"));

  await failure(dying.flush());
  await dying[Symbol.asyncDispose]();

  expect(names(await rows("people"))).toEqual(["Ada"]);
  await rename(join(path, "manifest.json.draft"), join(path, "elsewhere"));
  await loader().prepare();
  expect(names(await rows("people"))).toEqual(["Ada", "Bob"]);
  expect((await catalogue()).state["knowbe4"]!.version).toBe(2);
});

test("a run that was overtaken commits nothing", async () => {
  const { loader, load, path, rows } = await jsonlDesk();
  const slow = loader({ spoolDir: `${path}.other` });
  await slow.open(runInfo(), running());
  await slow.declare(PEOPLE);
  await slow.write(batch("people", [bob], { checkpoint: checkpoint("people") }));
  await load(PEOPLE, [ada]);

  const error = await failure(slow.flush());

  expect(error.kind).toBe("locked");
  expect(names(await rows("people"))).toEqual(["Ada"]);
});

test("rows that do not fit stand in _kb4_rejects with their load", async () => {
  const { loader, rows } = await jsonlDesk();
  const made = loader();
  await made.open(runInfo(), running());
  await made.declare(PEOPLE);
  const rejects = [{ reason: "id is missing", raw: { name: "\u2028" } }];
  await made.write(batch("people", [ada], { rejects, checkpoint: checkpoint("people") }));
  await made.end(ended("people"));

  await made.flush();

  const [reject] = await rows("_kb4_rejects");
  const [load] = await rows("_kb4_loads");
  expect(reject).toMatchObject({
    stream: "people",
    reason: "id is missing",
    raw: { name: "\u2028" },
  });
  expect(reject!["load_id"]).toBe(load!["load_id"]);
  expect(load).toMatchObject({ rows_staged: 1, rows_written: 1, rows_rejected: 1 });
});

test("names that are no names of files are folders all the same, within the folder", async () => {
  const { load, rows, files } = await jsonlDesk();
  for (const name of ["..", "a/b", "con.", "x".repeat(300)]) {
    await load(stream(name, { id: "integer", name: "string" }), [{ id: 1, name }]);
    expect(names(await rows(name))).toEqual([name]);
  }

  expect((await files()).every((file) => file.split("/").length === 2)).toBe(true);
});

test("check says what stands in the way, and makes nothing", async () => {
  const { loader, path, files } = await jsonlDesk();
  expect(await loader().check()).toEqual([]);
  expect(await files().catch(() => "none")).toBe("none");
  await writeFile(path, "");

  expect(await loader().check()).toEqual([
    { what: "a file stands where the folder should be", fix: "set destination.path" },
  ]);
});

test("a manifest of another program is left as it is", async () => {
  const { loader, path } = await jsonlDesk();
  await mkdir(path);
  await writeFile(join(path, "manifest.json"), '{"manifest_version":3}');

  const error = await failure(loader().prepare());

  expect(error.message).toBe(
    `destination ${path}: manifest.json is not one that this version can read`,
  );
  expect(error.kind).toBe("destination");
  expect(await readFile(join(path, "manifest.json"), "utf8")).toBe('{"manifest_version":3}');
});
