/** How one listing ended, and what came until then. */
export interface ListingEnd {
  /** Rows that the server gave, those that came again among them. */
  readonly rows: number;
  /** Different keys among them; null if there were too many to tell. */
  readonly keys: number | null;
  /** Why it is over. */
  readonly how: "empty page" | "no cursor" | "whole" | "object";
}

/** What shows that a stream was read completely: figures, no names and no keys. */
export interface Proof {
  /** Rows that the API said there are, for the parents that say it; null if none does. */
  readonly declared: number | null;
  /** Rows that came for those parents. */
  readonly counted: number;
  /** Rows that came from the stream's own endpoint, and different keys among them, listing by listing. */
  readonly came: number;
  readonly keys: number | null;
  /** Rows that were taken from another stream because their number was right. */
  readonly derived: number;
  /** How many listings ended in which way. */
  readonly ends: Readonly<Record<string, number>>;
}

/** Gathers the proof of one stream. */
export class ProofBook {
  #declared: number | null = null;
  #counted = 0;
  #came = 0;
  #keys: number | null = 0;
  #derived = 0;
  readonly #ends = new Map<string, number>();

  /** A listing was read to its end. */
  ended({ rows, keys, how }: ListingEnd): void {
    this.#came += rows;
    this.#keys = keys === null || this.#keys === null ? null : this.#keys + keys;
    this.#ends.set(how, (this.#ends.get(how) ?? 0) + 1);
  }

  /** A parent says how many rows it has, and so many came. */
  compared(declared: number, counted: number): void {
    this.#declared = (this.#declared ?? 0) + declared;
    this.#counted += counted;
  }

  derived(rows: number): void {
    this.#derived += rows;
  }

  get proof(): Proof {
    return {
      declared: this.#declared,
      counted: this.#counted,
      came: this.#came,
      keys: this.#keys,
      derived: this.#derived,
      ends: Object.fromEntries(this.#ends),
    };
  }
}
