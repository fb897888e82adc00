import { DAY_MS, iso, type Clock } from "../core/clock.js";
import { ConnectorError, type ErrorContext } from "../core/errors.js";
import type { Emit } from "../core/events.js";
import { cancelled, sleep, unlessAborted } from "./cancel.js";

/** Most requests in any second, any minute and any 24 hours; 0 switches a window off. */
export interface RateLimits {
  readonly perSecond: number;
  readonly perMinute: number;
  readonly perDay: number;
}

/** What to do when the day's requests are spent: end with a `quota` error, or sleep. */
export type OnQuotaExhausted = "stop" | "wait" | "fail";

/** Timers may fire a little early and clocks may be coarse: windows are this much longer. */
const SLACK_MS = 1;

const MINUTE_MS = 60_000;

/** Shorter waits are the normal pace and not worth telling. */
const TELL_FROM_MS = 5_000;

/** What a limiter needs. */
export interface LimiterOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly limits: RateLimits;
  readonly onQuotaExhausted: OnQuotaExhausted;
  /** Longest pause asked for by the server that is sat out, in ms; longer ones are `quota`. */
  readonly patienceMs: number;
}

/**
 * Lets requests through so that none of the windows ever holds more than its limit, in the order
 * in which they asked. Every attempt counts, retries too.
 *
 * The windows slide: the n-th last request must be older than the window. So one list of the last
 * requests, as long as the greatest limit, answers for all windows.
 */
export class RateLimiter {
  readonly #options: LimiterOptions;
  #perDay: number;
  /** When requests were let through, monotonic ms, oldest first. */
  readonly #log: number[] = [];
  #pausedUntil = 0;
  #gate: Promise<void> = Promise.resolve();

  constructor(options: LimiterOptions) {
    this.#options = options;
    this.#perDay = options.limits.perDay;
  }

  /**
   * Waits for a turn and counts it.
   *
   * @throws ConnectorError `quota` if the day is spent, or the server asked for a longer pause than
   *   we have patience for (not with `wait`); `cancelled`.
   */
  async acquire(signal: AbortSignal): Promise<void> {
    const before = this.#gate;
    let open = (): void => undefined;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    try {
      await unlessAborted(before, signal);
      await this.#turn(signal);
    } finally {
      // Whoever gives up while queued must not let the next one past those before it.
      void before.then(open);
    }
  }

  /** Holds back every request until then (monotonic ms). An earlier pause does not shorten it. */
  pauseUntil(at: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, at);
  }

  /**
   * The server says that its window is used up: holds back every request until it has room again.
   *
   * @param waitMs what the server said; null if nothing: then until the oldest request of the last
   *   minute is a minute old.
   */
  pauseForWindow(waitMs: number | null): void {
    const now = this.#options.clock.monotonic();
    const oldest = this.#log[this.#indexAfter(now - MINUTE_MS)] ?? now;
    this.pauseUntil(waitMs === null ? oldest + MINUTE_MS + SLACK_MS : now + waitMs);
  }

  /** Changes the day's limit, when the account's size becomes known; 0 switches it off. */
  setDayLimit(limit: number): void {
    this.#perDay = limit;
  }

  /** Requests that the day still allows; null if it has no limit. */
  get remaining(): number | null {
    return this.#perDay === 0 ? null : Math.max(0, this.#perDay - this.requestsInDay);
  }

  /** Requests in the last 24 hours. */
  get requestsInDay(): number {
    return this.#log.length - this.#indexAfter(this.#options.clock.monotonic() - DAY_MS);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { clock, limits } = this.#options;
    for (;;) {
      if (signal.aborted) throw cancelled(signal);
      const now = clock.monotonic();
      const day = this.#freeAt(this.#perDay, DAY_MS);
      if (day > now) this.#refuseUnlessWaiting(day - now);
      this.#refuseLongPause(this.#pausedUntil - now);
      const waits: readonly (readonly [number, string])[] = [
        [this.#freeAt(limits.perSecond, 1_000), `${String(limits.perSecond)} requests a second`],
        [
          this.#freeAt(limits.perMinute, MINUTE_MS),
          `${String(limits.perMinute)} requests a minute`,
        ],
        [day, `${String(this.#perDay)} requests a day`],
        [this.#pausedUntil, "KnowBe4 asks for a pause"],
      ];
      const [at, reason] = waits.reduce((a, b) => (b[0] > a[0] ? b : a));
      if (at <= now) {
        this.#count(now);
        return;
      }
      await this.#sleep(at - now, reason, signal);
    }
  }

  async #sleep(waitMs: number, reason: string, signal: AbortSignal): Promise<void> {
    const { clock, emit } = this.#options;
    if (waitMs >= TELL_FROM_MS) emit({ type: "waiting", reason, waitMs });
    await sleep(clock, Math.min(waitMs, DAY_MS), signal);
  }

  /** When a window has room for one more, monotonic ms. */
  #freeAt(limit: number, windowMs: number): number {
    if (limit === 0) return 0;
    const nth = this.#log[this.#log.length - limit];
    return nth === undefined ? 0 : nth + windowMs + SLACK_MS;
  }

  #count(now: number): void {
    const { perSecond, perMinute } = this.#options.limits;
    this.#log.push(now);
    const keep = Math.max(perSecond, perMinute, this.#perDay);
    if (this.#log.length < 2 * keep + 64) return;
    // What left the day's window is of no use either, however high the limit.
    this.#log.splice(0, Math.max(this.#log.length - keep, this.#indexAfter(now - DAY_MS)));
  }

  /** Index of the first request after an instant. */
  #indexAfter(at: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#log[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #refuseUnlessWaiting(waitMs: number): void {
    const { clock, onQuotaExhausted } = this.#options;
    if (onQuotaExhausted === "wait") return;
    const made = this.#perDay;
    const nextAt = iso(clock.now() + waitMs);
    const message = `daily quota: ${String(made)} requests made in 24 h; the next is possible at ${nextAt}`;
    throw new ConnectorError("quota", message, {
      hint: "run again after that; if the account may make more requests, raise rate_limit.per_day",
      context: { requests: made, nextAt },
    });
  }

  #refuseLongPause(waitMs: number): void {
    const { clock, onQuotaExhausted, patienceMs } = this.#options;
    if (waitMs <= patienceMs || onQuotaExhausted === "wait") return;
    throw askedToWait("quota: KnowBe4", iso(clock.now() + waitMs));
  }
}

/** The error for a server that wants us back later than we are ready to wait. */
export function askedToWait(
  subject: string,
  nextAt: string,
  context: ErrorContext = {},
): ConnectorError {
  return new ConnectorError("quota", `${subject} asks to wait until ${nextAt}`, {
    hint: 'run again after that, or set on_quota_exhausted to "wait"',
    context: { ...context, nextAt },
  });
}
