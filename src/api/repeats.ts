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

/** Most keys that are kept to compare pages with: of one page, and of several together. */
const KEYS_KEPT = 10_000;

/** The keys of a page, part by part: its digest, and which of its rows stood on pages before. */
export class PageKeys {
  /** Items so far, those that stood on pages before among them. */
  count = 0;
  /** Items so far that did not stand on a page before. */
  fresh = 0;
  /** Key of the first item; undefined if there is none. */
  first: string | undefined;
  /** No row is missing between the listing's first one and this page's last one. */
  isTied = false;
  readonly #keys = new Set<string>();
  readonly #hash = createHash("sha256");
  readonly #before: RecentPages | undefined;
  readonly #all: KeyCount | undefined;

  /**
   * @param before pages that came before.
   * @param all counts the keys of all pages.
   */
  constructor(before?: RecentPages, all?: KeyCount) {
    this.#before = before;
    this.#all = all;
  }

  /** How many of its keys are kept. */
  get kept(): number {
    return this.#keys.size;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Takes the next items of the page; gives back those that did not stand on a page before. */
  add(items: readonly unknown[], keyOf: (item: unknown) => string): readonly unknown[] {
    const keys = items.map(keyOf);
    this.first ??= keys[0];
    this.count += keys.length;
    this.#hash.update(keys.join("\n")).update("\n");
    for (const key of keys) this.#all?.add(key);
    for (const key of keys) {
      if (this.#keys.size >= KEYS_KEPT) break;
      this.#keys.add(key);
    }
    const isNew = keys.map((key) => this.#before?.has(key) !== true);
    const fresh = isNew.includes(false) ? items.filter((_, i) => isNew[i]) : items;
    this.fresh += fresh.length;
    return fresh;
  }

  /** 16 hex digits: equal for pages with the same keys in the same order. Call once, at its end. */
  digest(): string {
    return this.#hash.digest("hex").slice(0, 16);
  }
}

/** The last pages of a listing: the one before, or as many as are worth some thousand keys. */
export class RecentPages {
  /** Whether more than the page before is remembered. */
  isDeep = false;
  #pages: readonly PageKeys[] = [];

  /** Keys that are remembered. */
  get count(): number {
    return this.#pages.reduce((sum, page) => sum + page.kept, 0);
  }

  push(page: PageKeys): void {
    this.#pages = this.isDeep ? [...this.#pages, page] : [page];
    while (this.#pages.length > 1 && this.count > KEYS_KEPT) this.#pages = this.#pages.slice(1);
  }

  has(key: string): boolean {
    return this.#pages.some((page) => page.has(key));
  }

  /** Whether a row is among those that follow each other without a gap. */
  ties(key: string): boolean {
    return this.#pages.some((page) => page.isTied && page.has(key));
  }
}
