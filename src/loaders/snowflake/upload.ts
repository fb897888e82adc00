import { createReadStream, createWriteStream } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import pLimit from "p-limit";

import { onDisk } from "../spool.js";

/** A piece of a file that ends where a line does: first and last byte. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** How a file is cut up. */
export interface Cutting {
  /** Bytes of a piece before compression. */
  readonly partBytes: number;
  /** Pieces that are compressed or under way at once. */
  readonly parallel: number;
}

/** A warehouse of the smallest size reads eight files at once, and is glad of 100 MB or so each. */
export const CUTTING: Cutting = { partBytes: 128 * 1024 * 1024, parallel: 4 };

/**
 * Hands a file of lines on, compressed and in pieces, several at once. The pieces lie beside it
 * while they are needed.
 */
export async function uploadInParts(
  path: string,
  { partBytes, parallel }: Cutting,
  send: (part: string) => Promise<void>,
): Promise<void> {
  const ranges = await onDisk(() => rangesOf(path, partBytes));
  const limit = pLimit(parallel);
  const base = path.replace(/\.ndjson$/, "");
  const sent = await Promise.allSettled(
    ranges.map((range, i) =>
      limit(async () => {
        const part = `${base}.${String(i)}.ndjson.gz`;
        try {
          await onDisk(() => compress(path, range, part));
          await send(part);
        } catch (error) {
          limit.clearQueue();
          throw error;
        } finally {
          await rm(part, { force: true });
        }
      }),
    ),
  );
  const failed = sent.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function compress(path: string, { start, end }: Range, part: string): Promise<void> {
  await pipeline(
    createReadStream(path, { start, end }),
    // The network is faster than a higher level would be.
    createGzip({ level: 1 }),
    createWriteStream(part, { mode: 0o600 }),
  );
}

async function rangesOf(path: string, partBytes: number): Promise<readonly Range[]> {
  const { size } = await stat(path);
  const ranges: Range[] = [];
  const handle = await open(path, "r");
  try {
    const buffer = Buffer.alloc(64 * 1024);
    for (let start = 0; start < size;) {
      let end = Math.min(start + partBytes, size) - 1;
      while (end < size - 1) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, end);
        const line = buffer.subarray(0, bytesRead).indexOf("\n");
        end = line === -1 ? end + bytesRead : end + line;
        if (line !== -1) break;
      }
      end = Math.min(end, size - 1);
      ranges.push({ start, end });
      start = end + 1;
    }
  } finally {
    await handle.close();
  }
  return ranges;
}
