/**
 * Gathers text as UTF-8.
 *
 * Texts go into one buffer as they come. Joined as strings first, they would be copied once more,
 * and a single character beyond Latin-1 would make all of them take twice the room.
 */
export class Bytes {
  readonly #size: number;
  #buffer: Buffer | undefined;
  #length = 0;

  /** @param size bytes that are expected to gather; more is allowed and costs a copy. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Bytes gathered. */
  get length(): number {
    return this.#length;
  }

  add(text: string): void {
    // A character of a string is at most three bytes.
    const buffer = this.#withRoom(text.length * 3);
    this.#length += buffer.write(text, this.#length);
  }

  /**
   * Adds the text of a JSON object with more members at its end.
   *
   * @param members with the closing brace, and a comma before unless the object is empty.
   */
  addObject(object: string, members: string): void {
    this.add(object);
    this.#length -= 1;
    this.add(members);
  }

  /** What was gathered; starts anew. */
  take(): Buffer {
    const bytes = (this.#buffer ?? Buffer.alloc(0)).subarray(0, this.#length);
    this.#buffer = undefined;
    this.#length = 0;
    return bytes;
  }

  #withRoom(more: number): Buffer {
    const needed = this.#length + more;
    const held = this.#buffer;
    if (held !== undefined && needed <= held.length) return held;
    const grown = Buffer.allocUnsafeSlow(
      Math.max(needed, held === undefined ? this.#size : 2 * held.length),
    );
    held?.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
    return grown;
  }
}
