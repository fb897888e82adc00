/** How many requests are answered before 429, in sliding windows; whatever is left out is unlimited. */
export interface Quota {
  readonly perSecond?: number;
  readonly perMinute?: number;
  readonly perDay?: number;
  /** Tell in `X-RateLimit-Limit` and `X-RateLimit-Remaining`, of the window with the least left. */
  readonly headers?: boolean;
  /** Tell with a 429, in `Retry-After`, after how many seconds the next request is answered. */
  readonly retryAfter?: boolean;
}

/** What a window says of a request. */
export interface Verdict {
  readonly isOver: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Counts the requests that were answered; those refused with 429 do not count. */
export class QuotaMeter {
  readonly #quota: Quota;
  readonly #windows: readonly Window[];

  constructor(quota: Quota) {
    this.#quota = quota;
    const windows: readonly [limit: number | undefined, ms: number][] = [
      [quota.perSecond, 1_000],
      [quota.perMinute, 60_000],
      [quota.perDay, 86_400_000],
    ];
    this.#windows = windows.flatMap(([limit, ms]) =>
      limit === undefined ? [] : [new Window(limit, ms)],
    );
  }

  /** @param now in milliseconds. */
  take(now: number): Verdict {
    const waits = this.#windows.map((window) => window.waitMs(now));
    const waitMs = Math.max(0, ...waits);
    if (waitMs === 0) for (const window of this.#windows) window.add(now);
    return { isOver: waitMs > 0, headers: this.#headers(waitMs) };
  }

  #headers(waitMs: number): Readonly<Record<string, string>> {
    const [tightest] = this.#windows.toSorted((a, b) => a.left - b.left);
    const shown = this.#quota.headers === true ? tightest : undefined;
    const seconds = String(Math.ceil(waitMs / 1_000));
    return {
      ...(shown === undefined
        ? {}
        : {
            "x-ratelimit-limit": String(shown.limit),
            "x-ratelimit-remaining": String(shown.left),
          }),
      ...(waitMs > 0 && this.#quota.retryAfter === true ? { "retry-after": seconds } : {}),
    };
  }
}

class Window {
  readonly limit: number;
  readonly #ms: number;
  #taken: number[] = [];

  constructor(limit: number, ms: number) {
    this.limit = limit;
    this.#ms = ms;
  }

  get left(): number {
    return Math.max(0, this.limit - this.#taken.length);
  }

  add(now: number): void {
    this.#taken.push(now);
  }

  /** How long until there is room for one more. */
  waitMs(now: number): number {
    const fresh = this.#taken.findIndex((at) => at > now - this.#ms);
    this.#taken = fresh === -1 ? [] : fresh === 0 ? this.#taken : this.#taken.slice(fresh);
    const oldest = this.#taken[this.#taken.length - this.limit];
    if (this.limit <= 0) return this.#ms;
    return oldest === undefined ? 0 : Math.max(1, oldest + this.#ms - now);
  }
}
