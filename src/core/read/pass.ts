import { decodeIds, encodeIds } from "../idset.js";
import type { Bookmark } from "../state.js";
import type { StreamReader } from "./context.js";

/** Parents after which those read so far are made safe: a minute or more at the documented rate. */
const PARENTS = 50;

/** The same as a share of all parents: a state of many of them is long, and written each time. */
const SHARE = 0.05;

/** Whether a parent's key can stand in an id set. */
const isId = (key: string): boolean => /^\d{1,15}$/.test(key);

/**
 * One reading of all parents, over as many runs as it takes. A run that breaks off leaves in the
 * state which parents are still to be read; the next one reads those and no others.
 */
export class PassProgress {
  /** When the reading began, ISO 8601 UTC: in this run or in an earlier one. */
  readonly since: string;
  readonly #reader: StreamReader;
  readonly #earlier: Bookmark["pass"];
  readonly #todo: Set<number>;
  readonly #bookmark: () => Omit<Bookmark, "pass">;
  readonly #every: number;
  readonly #isKept: boolean;
  #unsaved = 0;

  /**
   * @param keys of all parents.
   * @param bookmark of the stream while the reading goes on.
   */
  constructor(
    reader: StreamReader,
    keys: readonly string[],
    bookmark: () => Omit<Bookmark, "pass">,
  ) {
    const { planned, startedAt } = reader.context;
    this.#reader = reader;
    this.#earlier = planned.bookmark?.pass;
    this.#bookmark = bookmark;
    this.#isKept = keys.every(isId);
    this.since = this.#earlier?.since ?? startedAt;
    const listed = new Set(keys.map(Number));
    const left = this.#earlier == null ? listed : decodeIds(this.#earlier.todo);
    this.#todo = new Set([...left].filter((id) => listed.has(id)));
    this.#every = Math.max(PARENTS, listed.size * SHARE);
  }

  /** Whether a parent is still to be read. */
  isDue(key: string): boolean {
    return !this.#isKept || this.#todo.has(Number(key));
  }

  /** Reads parents; those that came to their end are kept although a later one fails. */
  async during(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (this.#unsaved > 0) await this.#save();
      throw error;
    }
  }

  /** A parent was read to its end. */
  async done(key: string): Promise<void> {
    this.#todo.delete(Number(key));
    this.#unsaved += 1;
    if (this.#unsaved >= this.#every) await this.#save();
  }

  /** A parent is not there any more. */
  gone(key: string): void {
    this.#todo.delete(Number(key));
  }

  /** Every parent was read. */
  async finish(bookmark: Omit<Bookmark, "pass">): Promise<void> {
    await this.#reader.checkpoint({ ...bookmark, ...this.over });
  }

  /** Takes the place of what an earlier run left, in states that are merged key by key too. */
  get over(): Pick<Bookmark, "pass"> {
    return this.#earlier === undefined ? {} : { pass: null };
  }

  async #save(): Promise<void> {
    if (!this.#isKept) return;
    this.#unsaved = 0;
    const pass = { since: this.since, todo: encodeIds(this.#todo) };
    await this.#reader.checkpoint({ ...this.#bookmark(), pass });
  }
}
