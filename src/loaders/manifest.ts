import { open, readdir, readFile, rename } from "node:fs/promises";
import { basename, join } from "node:path";

import { isObject, stringify, type Json } from "../core/json.js";
import type { Checkpoint, Scope } from "../core/record.js";
import { onDisk } from "./spool.js";
import type { Mode, Table } from "./table.js";
import type { SpooledFile } from "./warehouse.js";

/** What a sealed package brings to one table. */
export interface Part {
  readonly table: Table;
  readonly mode: Mode;
  /** Null if there are no rows: an empty stream has a table all the same. */
  readonly file: SpooledFile | null;
  readonly rejected: number;
  /** JSON text, if the stream was read to its end; absent in manifests of earlier versions. */
  readonly proof?: string | null;
  /** What the stream was read completely in; absent for nothing. */
  readonly scopes?: readonly Scope[];
}

/** A stream of which a package brings rejected rows and nothing else. */
export interface Withheld {
  readonly stream: string;
  readonly rejected: number;
}

/**
 * A load that is complete on the disk and may be committed, by this run or by a later one.
 *
 * It stands in the package's folder and is the only thing a restart reads: a folder without one
 * was never sealed and means nothing.
 */
export interface Manifest {
  readonly version: 1;
  readonly loadId: string;
  readonly runId: string;
  readonly pipeline: string;
  /** When the run started, ISO 8601 UTC. */
  readonly startedAt: string;
  /** Version of the state that the rows follow. */
  readonly from: number;
  readonly parts: readonly Part[];
  readonly withheld: readonly Withheld[];
  /** Rejected rows of all streams. */
  readonly rejects: SpooledFile | null;
  readonly checkpoints: readonly Checkpoint[];
}

const NAME = "manifest.json";

/** Nine characters of time, four of count, six of chance. */
const LOAD_ID = /^[0-9a-z]{19}$/;

/** Writes a manifest so that a crash leaves it whole or not at all. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const draft = join(folder, `${NAME}.draft`);
  await onDisk(async () => {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(stringify(manifest as unknown as Json));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, join(folder, NAME));
  });
}

/** The manifest of a folder; undefined if it was never sealed or is not one of this version. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, NAME), "utf8"));
    // We wrote it whole ourselves; a newer program's is not ours to read.
    if (!isObject(value) || value["version"] !== 1) return undefined;
    return relocated(value as unknown as Manifest, folder);
  } catch {
    return undefined;
  }
}

/** What a package writes: a folder with anything else in it is somebody else's. */
const FILES = /^(\d+(\.\d+\.ndjson\.gz|\.ndjson)|manifest\.json(\.draft)?)$/;

/** Names of a spool's folders that look like loads, oldest first. */
export async function loadsIn(spoolDir: string): Promise<readonly string[]> {
  const entries = await onDisk(() => readdir(spoolDir, { withFileTypes: true }));
  const names = entries.filter((e) => e.isDirectory() && LOAD_ID.test(e.name)).map((e) => e.name);
  const loads: string[] = [];
  for (const name of names.toSorted()) {
    const files = await onDisk(() => readdir(join(spoolDir, name)));
    if (files.every((file) => FILES.test(file))) loads.push(name);
  }
  return loads;
}

/** The folder may have been moved since. */
function relocated(manifest: Manifest, folder: string): Manifest {
  const at = (file: SpooledFile | null): SpooledFile | null =>
    file === null ? null : { ...file, path: join(folder, basename(file.path)) };
  return {
    ...manifest,
    parts: manifest.parts.map((part) => ({ ...part, file: at(part.file) })),
    rejects: at(manifest.rejects),
  };
}
