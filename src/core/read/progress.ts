import { encodeIds } from "../idset.js";
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
  /** Ids of the parts that this reading has still to read, if a later run must know. */
  #todo: Set<number> | undefined;
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

  /** From here on these parts are read: whoever goes on later need not read the finished ones. */
  begin(keys: readonly string[]): void {
    const ids = keys.map(Number);
    if (ids.every((id) => Number.isSafeInteger(id) && id >= 0)) this.#todo = new Set(ids);
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
    this.#todo?.delete(Number(key));
    this.#rows += part.rows;
    this.#unsaved += 1;
    if (this.#rows >= ROWS || this.#unsaved >= PARTS) await this.#save();
  }

  /** A part is not there: should it come back, it is new. */
  gone(key: string): void {
    this.#parts.delete(key);
    this.#todo?.delete(Number(key));
  }

  /**
   * Every part was read. Those not listed are forgotten: the state is as large as the list.
   *
   * @param scannedAt if this stands in for a scan of everything: when it began.
   */
  async finish(listed: ReadonlySet<string>, scannedAt?: string): Promise<void> {
    for (const key of this.#parts.keys()) if (!listed.has(key)) this.#parts.delete(key);
    const earlier = this.#reader.context.planned.bookmark?.pass;
    await this.#checkpoint({
      completedAt: this.#reader.context.startedAt,
      ...(scannedAt === undefined ? {} : { scannedAt }),
      // Takes the place of what an earlier run left, in states that are merged key by key too.
      ...(earlier === undefined ? {} : { pass: null }),
    });
  }

  async #save(): Promise<void> {
    this.#rows = 0;
    this.#unsaved = 0;
    const { startedAt, planned } = this.#reader.context;
    const earlier = planned.bookmark?.pass;
    const todo = this.#todo;
    await this.#checkpoint({
      completedAt: this.#before.completedAt,
      ...(todo === undefined
        ? {}
        : { pass: { since: startedAt, ...earlier, todo: encodeIds(todo) } }),
    });
  }

  async #checkpoint(bookmark: Pick<Bookmark, "completedAt" | "scannedAt" | "pass">): Promise<void> {
    const parts = Object.fromEntries(this.#parts);
    await this.#reader.checkpoint({ ...this.#before, ...bookmark, parts });
  }
}
