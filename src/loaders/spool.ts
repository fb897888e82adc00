import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

import { Bytes } from "../core/bytes.js";
import { ConnectorError } from "../core/errors.js";

/** Lines are handed to the system in pieces of about so many bytes. */
const CHUNK = 256 * 1024;

/** Room beside them for the line that goes beyond: most are shorter. */
const LINE = 16 * 1024;

/** Bytes moved at once when a file is cut. */
const COPY = 1024 * 1024;

/** Only the owner may read: the rows are about people. */
const PRIVATE = 0o600;

/** What a spool file holds up to some point. */
export interface Extent {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * A file of lines, of which those up to the last mark are safe to commit.
 *
 * Lines are gathered in memory and written in pieces; never more than one piece is held.
 */
export class SpoolFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #lines = new Bytes(CHUNK + LINE);
  #rows = 0;
  #bytes = 0;
  #longest = 0;
  #safe: Extent = { rows: 0, bytes: 0 };

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** @throws ConnectorError `destination` if the file cannot be made. */
  static async create(path: string): Promise<SpoolFile> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    return new SpoolFile(path, await onDisk(() => open(path, flags, PRIVATE)));
  }

  get safe(): Extent {
    return this.#safe;
  }

  /** Of the longest line so far, in bytes. */
  get longest(): number {
    return this.#longest;
  }

  /** Whether there are lines after the last mark. */
  get hasTail(): boolean {
    return this.#rows > this.#safe.rows;
  }

  /** Adds a line, given without its end. True if so much was gathered that {@link drain} is due. */
  add(line: string): boolean {
    const before = this.#lines.length;
    this.#lines.add(line);
    return this.#endLine(before);
  }

  /** As {@link add}, for the text of an object with more members at its end: see `Bytes`. */
  addObject(object: string, members: string): boolean {
    const before = this.#lines.length;
    this.#lines.addObject(object, members);
    return this.#endLine(before);
  }

  /** Writes what was gathered. */
  async drain(): Promise<void> {
    await this.#write();
  }

  /** Everything added so far may be committed. */
  async mark(): Promise<void> {
    await this.#write();
    this.#safe = { rows: this.#rows, bytes: this.#bytes };
  }

  /** Forgets the lines after the last mark. */
  async cut(): Promise<void> {
    this.#lines.take();
    if (!this.hasTail) return;
    await onDisk(() => this.#handle.truncate(this.#safe.bytes));
    this.#rows = this.#safe.rows;
    this.#bytes = this.#safe.bytes;
  }

  /** Moves the lines after the last mark into another file, as its unmarked lines. */
  async moveTail(to: SpoolFile): Promise<void> {
    await this.#write();
    await to.#write();
    const buffer = Buffer.alloc(COPY);
    for (let at = this.#safe.bytes; at < this.#bytes;) {
      const { bytesRead } = await onDisk(() => this.#handle.read(buffer, 0, COPY, at));
      if (bytesRead === 0) break;
      await to.#append(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    to.#rows += this.#rows - this.#safe.rows;
    to.#longest = Math.max(to.#longest, this.#longest);
    await this.cut();
  }

  /** Puts the lines on the disk for good and closes the file. */
  async seal(): Promise<void> {
    await this.#write();
    await onDisk(() => this.#handle.sync());
    await this.close();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #endLine(from: number): boolean {
    this.#rows += 1;
    this.#longest = Math.max(this.#longest, this.#lines.length - from);
    this.#lines.add("\n");
    return this.#lines.length >= CHUNK;
  }

  async #write(): Promise<void> {
    if (this.#lines.length > 0) await this.#append(this.#lines.take());
  }

  /** Positions are ours: after a cut the system's would be behind the end. */
  async #append(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await onDisk(() =>
        this.#handle.write(bytes, done, bytes.length - done, this.#bytes),
      );
      done += bytesWritten;
      this.#bytes += bytesWritten;
    }
  }
}

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is spent",
  EFBIG: "the file may not grow further",
};

const REFUSED: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOTDIR: "a file stands where a folder should be",
  ENOENT: "no such folder",
};

/**
 * Does something to the spool.
 *
 * @throws ConnectorError `destination`, saying what the disk has against it.
 */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    const { code, reason, isFull } = diskFault(error);
    throw new ConnectorError("destination", `destination: spool folder: ${reason}`, {
      hint: isFull
        ? "make room, or set destination.spool_dir to a folder that has it; nothing of this was committed"
        : "set destination.spool_dir to a folder that can be written; without it the spool lies beside the destination",
      context: { code },
      cause: error,
    });
  }
}

/** What the system has against it, in words. */
export function diskFault(error: unknown): {
  readonly code: string;
  readonly reason: string;
  readonly isFull: boolean;
} {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown fault";
  return { code, reason: FULL[code] ?? REFUSED[code] ?? code, isFull: code in FULL };
}
