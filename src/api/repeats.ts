import { createHash } from "node:crypto";

import type { KeyCount } from "./keycount.js";

/** Marks that are surely remembered, and half of those that may be. 50,000 pages are 25 million rows. */
const REMEMBERED = 50_000;

/**
 * Tells when something comes that came before, in bounded memory: about 10 MB at most.
 *
 * Beyond what is remembered, one mark is kept for good, taken anew whenever the count of marks has
 * doubled: a loop of any length comes round to it sooner or later (Brent's method).
 */
export class Repeats {
  /** Two generations: forgetting is dropping the older one. */
  #recent = new Set<string>();
  #older: ReadonlySet<string> = new Set();
  #anchor: string | undefined;
  #count = 0;
  #next = 1;

  /** True if this mark came before; remembers it. */
  add(mark: string): boolean {
    if (this.#recent.has(mark) || this.#older.has(mark) || mark === this.#anchor) return true;
    this.#recent.add(mark);
    if (this.#recent.size >= REMEMBERED) {
      this.#older = this.#recent;
      this.#recent = new Set();
    }
    this.#count += 1;
    if (this.#count >= this.#next) {
      this.#anchor = mark;
      this.#next *= 2;
    }
    return false;
  }
}

/** Most keys of one page that are kept to compare the next one with. */
const KEYS_KEPT = 10_000;

/** The keys of a page, part by part: its digest, and which of its rows stood on the page before. */
export class PageKeys {
  /** Items so far, those that stood on the page before among them. */
  count = 0;
  readonly #keys = new Set<string>();
  readonly #hash = createHash("sha256");
  readonly #before: ReadonlySet<string>;

  readonly #all: KeyCount | undefined;

  /** @param all counts the keys of all pages. */
  constructor(before?: PageKeys, all?: KeyCount) {
    this.#all = all;
    this.#before = before === undefined ? new Set() : before.#keys;
  }

  /** Takes the next items of the page; gives back those that did not stand on the page before. */
  add(items: readonly unknown[], keyOf: (item: unknown) => string): readonly unknown[] {
    const keys = items.map(keyOf);
    this.count += keys.length;
    this.#hash.update(keys.join("\n")).update("\n");
    for (const key of keys) this.#all?.add(key);
    for (const key of keys) {
      if (this.#keys.size >= KEYS_KEPT) break;
      this.#keys.add(key);
    }
    if (this.#before.size === 0 || !keys.some((key) => this.#before.has(key))) return items;
    return items.filter((_, i) => !this.#before.has(keys[i] ?? ""));
  }

  /** 16 hex digits: equal for pages with the same keys in the same order. Call once, at its end. */
  digest(): string {
    return this.#hash.digest("hex").slice(0, 16);
  }
}
