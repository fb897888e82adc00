import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

import { ConnectorError } from "../../core/errors.js";
import { isObject, stringify, type Json } from "../../core/json.js";
import type { TableColumn } from "../table.js";
import { inFolder } from "./failure.js";

/** A table of the folder. */
export interface FolderTable {
  readonly description: string;
  readonly columns: readonly TableColumn[];
  readonly primaryKey: readonly string[];
  /** Files that hold its rows, in their order; paths below the folder. */
  readonly files: readonly string[];
  readonly rows: number;
}

/**
 * What the folder holds. A file that is not named here is none of it: a commit writes new files
 * first, and then this one in place of the last.
 */
export interface Catalogue {
  readonly version: 1;
  readonly state: Readonly<
    Record<string, { readonly version: number; readonly bookmarks: Readonly<Record<string, Json>> }>
  >;
  readonly tables: Readonly<Record<string, FolderTable>>;
}

const NAME = "manifest.json";
const EMPTY: Catalogue = { version: 1, state: {}, tables: {} };

/**
 * The catalogue of a folder; an empty one if nothing was committed yet.
 *
 * @throws ConnectorError `destination` if it cannot be read or is not one of this version.
 */
export async function readCatalogue(folder: string): Promise<Catalogue> {
  const text = await inFolder(folder, async () => {
    try {
      return await readFile(join(folder, NAME), "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  });
  if (text === undefined) return EMPTY;
  const value = parsed(text);
  if (isObject(value) && value["version"] === 1 && isObject(value["tables"])) {
    return value as unknown as Catalogue;
  }
  throw new ConnectorError(
    "destination",
    `destination ${folder}: ${NAME} is not one that this version can read`,
    { hint: "set destination.path to another folder, or put the file back as it was" },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Puts a catalogue in place of the last one: the commit. */
export async function writeCatalogue(folder: string, catalogue: Catalogue): Promise<void> {
  await inFolder(folder, async () => {
    const draft = join(folder, `${NAME}.draft`);
    await durably(draft, stringify(catalogue as unknown as Json));
    await rename(draft, join(folder, NAME));
    await syncFolder(folder);
  });
}

async function durably(path: string, text: string): Promise<void> {
  await using file = await open(path, "w", 0o600);
  await file.writeFile(text);
  await file.sync();
}

/** Names in a folder survive a loss of power only once the folder itself was synced. */
export async function syncFolder(path: string): Promise<void> {
  await using file = await open(path, "r");
  // Not every system can.
  await file.sync().catch(() => undefined);
}

/** Makes a table's folder and tells its name. Names of foreign streams may be no names of files. */
export async function tableFolder(folder: string, table: string): Promise<string> {
  const plain = encodeURIComponent(table).replaceAll(/[.*~'()!]/g, escaped);
  const sum = createHash("sha256").update(table).digest("hex").slice(0, 16);
  const name = plain.length <= 120 ? plain : `${plain.slice(0, 100)}-${sum}`;
  await inFolder(folder, () => mkdir(join(folder, name), { recursive: true, mode: 0o700 }));
  return name;
}

function escaped(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
