import type { Bookmark, Part } from "../state.js";
import type { StreamReader } from "./context.js";

/** Rows, or parts, after which the parts read so far are made safe. */
const ROWS = 2_000;
/** 50 parts are 50 requests or more: a minute at the documented rate. */
const PARTS = 50;

/** Which parts of a stream were read to their end: the places at which it may be resumed. */
export class Progress {
  readonly #reader: StreamReader;
  readonly #before: Bookmark;
  readonly #parts: Map<string, Part>;
  #rows = 0;
  #unsaved = 0;

  constructor(reader: StreamReader) {
    const { bookmark } = reader.context.planned;
    const scannedAt = bookmark?.scannedAt;
    this.#reader = reader;
    this.#parts = new Map(Object.entries(bookmark?.parts ?? {}));
    this.#before = {
      completedAt: bookmark?.completedAt ?? null,
      ...(scannedAt === undefined ? {} : { scannedAt }),
    };
  }

  /** What is known of a part, from this run or an earlier one. */
  of(key: string): Part | undefined {
    return this.#parts.get(key);
  }

  /** Reads parts; those that came to their end are kept although a later one fails. */
  async during(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (this.#unsaved > 0) await this.#save();
      throw error;
    }
  }

  /** A part was read to its end. */
  async done(key: string, part: Part): Promise<void> {
    this.#parts.set(key, part);
    this.#rows += part.rows;
    this.#unsaved += 1;
    if (this.#rows >= ROWS || this.#unsaved >= PARTS) await this.#save();
  }

  /** A part is not there: should it come back, it is new. */
  gone(key: string): void {
    this.#parts.delete(key);
  }

  /** Every part was read. Those not listed are forgotten: the state is as large as the list. */
  async finish(listed: ReadonlySet<string>): Promise<void> {
    for (const key of this.#parts.keys()) if (!listed.has(key)) this.#parts.delete(key);
    await this.#checkpoint(this.#reader.context.startedAt);
  }

  async #save(): Promise<void> {
    this.#rows = 0;
    this.#unsaved = 0;
    await this.#checkpoint(this.#before.completedAt);
  }

  async #checkpoint(completedAt: string | null): Promise<void> {
    const parts = Object.fromEntries(this.#parts);
    await this.#reader.checkpoint({ ...this.#before, completedAt, parts });
  }
}
