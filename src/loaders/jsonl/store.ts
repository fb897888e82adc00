import { constants } from "node:fs";
import { access, mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import type { Json } from "../../core/json.js";
import { hold } from "../duckdb/hold.js";
import type { Manifest } from "../manifest.js";
import { outrun } from "../outrun.js";
import type { Counts, Store } from "../store.js";
import type { Missing } from "../warehouse.js";
import { readCatalogue, tableFolder, writeCatalogue, type Catalogue } from "./catalogue.js";
import { inFolder } from "./failure.js";
import { withoutPerson } from "./forget.js";
import { isBooked, newTables, proofsIn, rowsIn } from "./tables.js";

/** Folder of what is the loader's own and no table. */
const OWN = "_kb4";

/** A folder of files, with a catalogue that says which of them count. */
export function jsonlStore(path: string): Store {
  const folder = resolve(path);
  return {
    name: "JSONL",
    place: path,
    elsewhere: "set destination.path to another folder",
    exists: () => can(join(folder, "manifest.json"), constants.F_OK),
    check: () => check(folder),
    prepare: async (pipeline) => {
      await inFolder(path, () => mkdir(join(folder, OWN), { recursive: true, mode: 0o700 }));
      const catalogue = await readCatalogue(folder);
      return { ...keptOf(catalogue, pipeline), pipelines: Object.keys(catalogue.state) };
    },
    readState: async (pipeline) => keptOf(await readCatalogue(folder), pipeline),
    readProofs: async (pipeline) => proofsIn(folder, await readCatalogue(folder), pipeline),
    countRows: async (asks) => {
      const catalogue = await readCatalogue(folder);
      const counts: (Counts | null)[] = [];
      for (const ask of asks) counts.push(await rowsIn(folder, catalogue, ask));
      return counts;
    },
    commit: async (manifest, record, patiently) => {
      await inFolder(path, () => mkdir(join(folder, OWN), { recursive: true, mode: 0o700 }));
      // Two runs with spools of their own could both find the state where they left it.
      await using _lock = await patiently(() => hold(join(folder, OWN)));
      const catalogue = await readCatalogue(folder);
      if (keptOf(catalogue, manifest.pipeline).version !== manifest.from) {
        if (await isBooked(folder, catalogue, manifest.loadId)) return [];
        throw outrun();
      }
      const tables = {
        ...catalogue.tables,
        ...(await inFolder(path, () => newTables(folder, catalogue, manifest, record))),
      };
      await writeCatalogue(folder, { ...catalogue, state: moved(catalogue, manifest), tables });
      await sweep(folder, tables);
      return [];
    },
    find: async (forgetting) => {
      const catalogue = await readCatalogue(folder);
      const [found] = await inFolder(path, () =>
        withoutPerson(folder, catalogue, forgetting, null),
      );
      return found;
    },
    forget: async (forgetting, record) => {
      await using _lock = await hold(join(folder, OWN));
      const before = await readCatalogue(folder);
      const [found, catalogue] = await inFolder(path, () =>
        withoutPerson(folder, before, forgetting, record),
      );
      if (catalogue !== before) await writeCatalogue(folder, catalogue);
      // Also what an earlier try left.
      await sweep(folder, catalogue.tables);
      return found;
    },
  };
}

function keptOf(catalogue: Catalogue, pipeline: string) {
  return catalogue.state[pipeline] ?? { version: 0, bookmarks: {} };
}

function moved(catalogue: Catalogue, manifest: Manifest): Catalogue["state"] {
  const { pipeline, from, checkpoints } = manifest;
  const bookmarks = {
    ...keptOf(catalogue, pipeline).bookmarks,
    ...Object.fromEntries(
      checkpoints.map((c): [string, Json] => [c.stream, c.bookmark as unknown as Json]),
    ),
  };
  return { ...catalogue.state, [pipeline]: { version: from + 1, bookmarks } };
}

/** What a load writes; anything else in a table's folder is somebody else's. */
const FILE = /^[0-9a-z]{19}\.jsonl$/;

/** Removes files that no table has any more. What cannot be removed now is at the next commit. */
async function sweep(folder: string, tables: Catalogue["tables"]): Promise<void> {
  const named = new Set(Object.values(tables).flatMap((table) => table.files));
  for (const table of Object.keys(tables)) {
    const name = await tableFolder(folder, table);
    for (const file of await readdir(join(folder, name))) {
      if (!FILE.test(file) || named.has(`${name}/${file}`)) continue;
      await rm(join(folder, name, file), { force: true }).catch(() => undefined);
    }
  }
}

async function check(folder: string): Promise<readonly Missing[]> {
  for (let at = folder; ; at = dirname(at)) {
    if (!(await can(at, constants.F_OK))) continue;
    const fix = `let this user write to ${at}, or set destination.path`;
    if (!(await stat(at)).isDirectory()) {
      return [{ what: "a file stands where the folder should be", fix: "set destination.path" }];
    }
    const isWritable = await can(at, constants.W_OK);
    if (isWritable && at === folder) await readCatalogue(folder);
    return isWritable ? [] : [{ what: "the folder cannot be written", fix }];
  }
}

async function can(path: string, what: number): Promise<boolean> {
  try {
    await access(path, what);
    return true;
  } catch {
    return false;
  }
}
