import type { Clock } from "../core/clock.js";
import type { Answer } from "./transport.js";

/** Barks when nothing came for too long. */
export class Watchdog {
  /** Whether it has barked. */
  barked = false;
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #bark: () => void;
  #calm: () => void = () => undefined;

  /** @param ms silence, in ms, after which `bark` is called once. */
  constructor(clock: Clock, ms: number, bark: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#bark = bark;
    this.wait();
  }

  /** Something came, or is asked for: starts over. */
  wait(): void {
    this.rest();
    this.#calm = this.#clock.after(this.#ms, () => {
      this.barked = true;
      this.#bark();
    });
  }

  /** Nothing is waited for: does not bark. */
  rest(): void {
    this.#calm();
    this.#calm = () => undefined;
  }
}

/** A body: all of it, or the way to read it where it is too large to be held. */
export type Body =
  { readonly whole: Buffer } | { readonly pieces: AsyncGenerator<Uint8Array, void, undefined> };

/**
 * Reads a body to its end if it has at most `limit` bytes once unpacked, else only that much of it;
 * the rest comes as it is pulled. The watchdog runs while bytes are waited for, not while they are
 * being worked on.
 */
export async function readBody(response: Answer, limit: number, watchdog: Watchdog): Promise<Body> {
  const read = async (): Promise<Uint8Array | null> => {
    watchdog.wait();
    const next = await response.body.next();
    watchdog.rest();
    return next.done === true ? null : next.value;
  };
  const held: Uint8Array[] = [];
  const announced = Number(response.headers.get("content-length") ?? 0);
  for (let size = 0; announced <= limit;) {
    const chunk = await read();
    if (chunk === null) return { whole: joined(held) };
    held.push(chunk);
    size += chunk.byteLength;
    if (size > limit) break;
  }
  return { pieces: pieces(held, read) };
}

function joined(chunks: readonly Uint8Array[]): Buffer {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) {
    return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
  }
  return Buffer.concat(chunks);
}

async function* pieces(
  held: Uint8Array[],
  read: () => Promise<Uint8Array | null>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let chunk = held.shift(); chunk !== undefined; chunk = held.shift()) yield chunk;
  for (let chunk = await read(); chunk !== null; chunk = await read()) yield chunk;
}
