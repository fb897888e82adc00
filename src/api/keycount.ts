import { createHash } from "node:crypto";

/** Ids of one block: neighbours share it. */
const BLOCK = 2 ** 16;

/** Keys of a block from which a bit for each id takes less room than a list. */
const DENSE = 4_096;

/** Blocks that are held at most, 20 MB at worst. Ids that were given out together share a few. */
const MOST_BLOCKS = 50_000;

/**
 * Counts distinct keys exactly, in two bytes each or less where ids lie near one another, as those
 * of an account do: they are given out by the thousand.
 */
export class KeyCount {
  readonly #blocks = new Map<number, Block>();
  #count = 0;
  #isFull = false;

  /** How many different keys came; null if they were too many and too scattered to tell. */
  get distinct(): number | null {
    return this.#isFull ? null : this.#count;
  }

  add(key: string): void {
    if (this.#isFull) return;
    const value = numberOf(key);
    const number = Math.floor(value / BLOCK);
    let block = this.#blocks.get(number);
    if (block === undefined) {
      if (this.#blocks.size === MOST_BLOCKS) {
        this.#isFull = true;
        this.#blocks.clear();
        return;
      }
      block = new Block();
      this.#blocks.set(number, block);
    }
    if (block.add(value % BLOCK)) this.#count += 1;
  }
}

/** Numbers below 65,536: a sorted list while there are few, a bit for each from then on. */
class Block {
  #list = new Uint16Array(8);
  #size = 0;
  #bits: Uint8Array | undefined;

  /** True if it was not there yet. */
  add(value: number): boolean {
    if (this.#bits !== undefined) return set(this.#bits, value);
    const at = this.#placeOf(value);
    if (at < this.#size && this.#list[at] === value) return false;
    if (this.#size === DENSE) {
      this.#bits = new Uint8Array(BLOCK / 8);
      for (const known of this.#list) set(this.#bits, known);
      this.#list = new Uint16Array(0);
      return set(this.#bits, value);
    }
    if (this.#size === this.#list.length) {
      const grown = new Uint16Array(2 * this.#size);
      grown.set(this.#list);
      this.#list = grown;
    }
    this.#list.copyWithin(at + 1, at, this.#size);
    this.#list[at] = value;
    this.#size += 1;
    return true;
  }

  /** Where a value stands in the list, or would. Mostly behind the others: ids come ascending. */
  #placeOf(value: number): number {
    let low = 0;
    let high = this.#size;
    if (high > 0 && value > (this.#list[high - 1] ?? 0)) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#list[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function set(bits: Uint8Array, value: number): boolean {
  const byte = bits[value >>> 3] ?? 0;
  const bit = 1 << (value & 7);
  bits[value >>> 3] = byte | bit;
  return (byte & bit) === 0;
}

/** A number for a key: itself for an id, 48 bits of its digest for anything else. */
function numberOf(key: string): number {
  if (/^[1-9]\d{0,14}$/.test(key)) return Number(key);
  // Beyond every id, so that the two are never taken for one another.
  return 1e15 + createHash("sha256").update(key).digest().readUIntBE(0, 6);
}
