/** What goes wrong with a request. */
export type Trouble =
  /** The connection breaks before the request is looked at, or after it was carried out. */
  | { readonly kind: "reset-before" | "reset-after" | "cut" }
  /** Nothing is ever answered: the request is not looked at, or carried out all the same. */
  | { readonly kind: "hang" | "hang-after" }
  | { readonly kind: "http"; readonly status: number }
  /** Snowflake's own answer. */
  | {
      readonly kind: "error";
      readonly code: string;
      readonly sqlState: string;
      readonly message: string;
    }
  /** The statement runs and runs, until somebody cancels it. */
  | { readonly kind: "endless" }
  /** Files cannot be put where the answer says. */
  | { readonly kind: "no-upload" };

/** Which requests it happens to. */
export interface Rule {
  /** Of the path and the statement. */
  readonly match: RegExp;
  readonly trouble: Trouble;
  /** How often; always if not given. */
  readonly times?: number;
}

/** Rules that are waiting to be met. */
export class Faults {
  readonly #rules: { rule: Rule; left: number }[] = [];

  add(rule: Rule): void {
    this.#rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** What happens to a request, if anything. */
  of(request: string): Trouble | undefined {
    const met = this.#rules.find(({ rule, left }) => left > 0 && rule.match.test(request));
    if (met === undefined) return undefined;
    met.left -= 1;
    return met.rule.trouble;
  }
}
