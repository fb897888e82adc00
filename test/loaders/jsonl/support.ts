import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { iso } from "../../../src/core/clock.js";
import type { SinkStream } from "../../../src/core/ports.js";
import type { Checkpoint, Row } from "../../../src/core/record.js";
import { openJsonl, type JsonlLoaderOptions } from "../../../src/loaders/jsonl/index.js";
import type { Loader } from "../../../src/loaders/loader.js";
import { parseExactly } from "../../../src/protocols/singer/exact.js";
import { batch, checkpoint, ended, runInfo, running } from "../../protocols/singer/support.js";
import { fakeClock } from "../../support/clock.js";
import { folder } from "../support.js";

interface Catalogue {
  readonly state: Readonly<Record<string, { version: number; bookmarks: object }>>;
  readonly tables: Readonly<Record<string, { files: readonly string[]; rows: number }>>;
}

/** A folder that loaders fill. */
export interface JsonlDesk {
  readonly path: string;
  /** A loader that is disposed of after the test. */
  loader(options?: Partial<JsonlLoaderOptions>): Loader;
  /** One run of its own: a stream read to its end, committed. */
  load(
    declared: SinkStream,
    rows: readonly Row[],
    options?: Partial<JsonlLoaderOptions>,
  ): Promise<readonly Checkpoint[]>;
  /** What another program finds: rows of the files that the manifest names. */
  rows(table: string): Promise<readonly Row[]>;
  catalogue(): Promise<Catalogue>;
  /** Every file of rows that lies there, named or not. */
  files(): Promise<readonly string[]>;
}

let seed = 0;

/** A desk of its own in a new folder. */
export async function jsonlDesk(): Promise<JsonlDesk> {
  const path = join(await folder(), "it");
  const clock = fakeClock();
  const loader: JsonlDesk["loader"] = (options = {}) => {
    const made = openJsonl({
      path,
      pipeline: "knowbe4",
      strangers: [],
      mode: "merge",
      clock,
      random: () => ((seed += 1) % 36 ** 6) / 36 ** 6,
      emit: () => undefined,
      toolVersion: "0.0.0-test",
      ...options,
    });
    onTestFinished(() => made[Symbol.asyncDispose]());
    return made;
  };
  const catalogue = async (): Promise<Catalogue> => {
    const text = await readFile(join(path, "manifest.json"), "utf8").catch(() => "{}");
    return { state: {}, tables: {}, ...(JSON.parse(text) as Partial<Catalogue>) };
  };
  return {
    path,
    loader,
    load: async (declared, rows, options) => {
      clock.advance(60_000);
      await using made = loader(options);
      await made.open(runInfo(), running());
      await made.declare(declared);
      const { name } = declared;
      const extractedAt = iso(clock.now());
      const told = [
        ...(await made.write(batch(name, rows, { checkpoint: checkpoint(name), extractedAt }))),
        ...(await made.end(ended(name))),
      ];
      return [...told, ...(await made.flush())];
    },
    rows: async (table) => {
      const { tables } = await catalogue();
      const found: Row[] = [];
      for (const file of tables[table]?.files ?? []) {
        const text = await readFile(join(path, file), "utf8");
        const lines = text.split("\n").filter((line) => line !== "");
        found.push(...lines.map((line) => parseExactly(line) as Row));
      }
      return found;
    },
    catalogue,
    files: async () => {
      const all = await readdir(path, { recursive: true });
      return all.filter((name) => name.endsWith(".jsonl")).toSorted();
    },
  };
}
