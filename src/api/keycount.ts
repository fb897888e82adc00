import { createHash } from "node:crypto";

/** Slots at first, and at most: 2^21 of eight bytes are 16 MB and hold a million keys. */
const FIRST_SLOTS = 1_024;
const MOST_SLOTS = 2 ** 21;

/** Counts distinct keys exactly, in eight bytes each, up to a million of them. */
export class KeyCount {
  #slots = new Float64Array(FIRST_SLOTS);
  #count = 0;
  #isFull = false;

  /** How many different keys came; null if there were too many to tell. */
  get distinct(): number | null {
    return this.#isFull ? null : this.#count;
  }

  add(key: string): void {
    if (this.#isFull) return;
    if (this.#count >= this.#slots.length / 2) this.#grow();
    if (this.distinct !== null && this.#put(numberOf(key))) this.#count += 1;
  }

  #put(value: number): boolean {
    const slots = this.#slots;
    for (let at = value % slots.length; ; at = (at + 1) % slots.length) {
      if (slots[at] === value) return false;
      if (slots[at] !== 0) continue;
      slots[at] = value;
      return true;
    }
  }

  #grow(): void {
    const before = this.#slots;
    if (before.length >= MOST_SLOTS) {
      this.#isFull = true;
      this.#slots = new Float64Array(0);
      return;
    }
    this.#slots = new Float64Array(before.length * 2);
    for (const value of before) if (value !== 0) this.#put(value);
  }
}

/** A number from 1 for a key: itself for an id, 52 bits of its digest for anything else. */
function numberOf(key: string): number {
  if (/^[1-9]\d{0,14}$/.test(key)) return Number(key);
  return 1 + createHash("sha256").update(key).digest().readUIntBE(0, 6);
}
