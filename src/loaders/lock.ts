import { mkdir, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { ConnectorError } from "../core/errors.js";
import { onDisk } from "./spool.js";

/** Takes what only one process can hold; released by the system when the process ends. */
export type Hold = (folder: string) => Promise<AsyncDisposable>;

/** Folders that this process holds: the system would let it take them twice. */
const held = new Set<string>();

/**
 * Takes a spool folder for this run alone, making it if need be.
 *
 * @throws ConnectorError `locked` if another run has it, `destination` if it cannot be written.
 */
export async function lockSpool(folder: string, hold: Hold): Promise<AsyncDisposable> {
  const real = await onDisk(async () => {
    await makeFolder(folder);
    return realpath(folder);
  });
  if (held.has(real)) throw inUse();
  held.add(real);
  try {
    const inner = await hold(real);
    return {
      async [Symbol.asyncDispose]() {
        held.delete(real);
        await inner[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    held.delete(real);
    throw error instanceof ConnectorError && error.kind === "locked" ? inUse(error) : error;
  }
}

/**
 * Makes a folder and those above it. Node's own way never ends where a folder is there and yet
 * nothing can be made in it, as in `/proc`.
 */
async function makeFolder(folder: string): Promise<void> {
  if (await isThere(folder)) return;
  const above = dirname(folder);
  if (above !== folder && !(await isThere(above))) await makeFolder(above);
  await mkdir(folder, { mode: 0o700 });
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

function inUse(cause?: unknown): ConnectorError {
  return new ConnectorError("locked", "destination: another run is writing to it", {
    hint: "wait until it has ended; nothing was read",
    ...(cause === undefined ? {} : { cause }),
  });
}
