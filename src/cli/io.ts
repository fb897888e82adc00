import type { Readable } from "node:stream";

import type { Clock } from "../core/clock.js";

/** A place to write text to; what the CLI needs of a stream. */
export interface TextOut {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** The world as a command sees it. Everything else is passed in. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: NodeJS.WritableStream & TextOut;
  readonly stderr: TextOut;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Between 0 and 1: for jitter and ids. */
  readonly random: () => number;
}
