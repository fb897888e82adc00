import { DAY_MS, iso, type Clock } from "../core/clock.js";
import { ConnectorError, type ErrorContext } from "../core/errors.js";
import type { Emit } from "../core/events.js";
import type { SourceMemory } from "../core/state.js";
import { cancelled, sleep, unlessAborted } from "./cancel.js";
import { DayWindow, indexAfter, SLACK_MS } from "./day.js";

/** Most requests in any second, any minute and any 24 hours; 0 switches a window off. */
export interface RateLimits {
  readonly perSecond: number;
  readonly perMinute: number;
  readonly perDay: number;
  /** Requests of each day that are left to whoever else uses the key. */
  readonly reserve: number;
}

/** What to do when the day's requests are spent: end with a `quota` error, or sleep. */
export type OnQuotaExhausted = "stop" | "wait" | "fail";

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
 * in which they asked. Every attempt counts, retries too, and in the window of a day those of
 * earlier runs and of others, as far as they are known.
 *
 * The windows slide: the n-th last request must be older than the window. So a list of the last
 * requests, as long as the greatest limit, answers for all windows.
 */
export class RateLimiter {
  readonly day: DayWindow;
  readonly #options: LimiterOptions;
  /** When requests of this run were let through, monotonic ms, oldest first. */
  readonly #log: number[] = [];
  #pausedUntil = 0;
  #hasToldOthers = false;
  #gate: Promise<void> = Promise.resolve();

  constructor(options: LimiterOptions) {
    const { clock, emit, limits } = options;
    this.#options = options;
    this.day = new DayWindow({ clock, emit, perDay: limits.perDay, reserve: limits.reserve });
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
    const oldest = this.#log[indexAfter(this.#log, now - MINUTE_MS)] ?? now;
    this.pauseUntil(waitMs === null ? oldest + MINUTE_MS + SLACK_MS : now + waitMs);
  }

  /** Goes on from what an earlier run remembers. Call before the first request. */
  restore({ spent, until }: Partial<SourceMemory>): void {
    const { clock } = this.#options;
    this.day.restore(spent ?? {});
    const waitMs = until == null ? 0 : Date.parse(until) - clock.now();
    // No window is longer than a day: a later instant was written while the clock was wrong.
    if (waitMs > 0 && waitMs <= DAY_MS) this.pauseUntil(clock.monotonic() + waitMs);
  }

  /** What the next run must know. */
  get memory(): Required<Pick<SourceMemory, "spent" | "until">> {
    const { clock } = this.#options;
    const waitMs = this.#pausedUntil - clock.monotonic();
    const until = waitMs > MINUTE_MS ? iso(clock.now() + waitMs) : null;
    return { spent: this.day.spent, until };
  }

  /** The server refused a request for its quota: said once, if by our own count there was room. */
  refused(): void {
    const { limits, emit, clock } = this.#options;
    const minute = this.#log.length - indexAfter(this.#log, clock.monotonic() - MINUTE_MS);
    const isFull = limits.perMinute > 0 && minute >= limits.perMinute;
    if (isFull || this.day.remaining === 0 || this.#hasToldOthers) return;
    this.#hasToldOthers = true;
    const made = `${String(minute)} in the last minute and ${String(this.day.used)} in the last day`;
    const message = `KnowBe4 refuses requests although only ${made} were made: somebody else uses the quota too (rate_limit.reserve leaves them a share), or rate_limit is too high`;
    emit({ type: "warning", stream: null, message });
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { clock, limits } = this.#options;
    for (;;) {
      if (signal.aborted) throw cancelled(signal);
      const now = clock.monotonic();
      const day = this.day.freeAt();
      if (day > now) this.#refuseUnlessWaiting(day - now);
      this.#refuseLongPause(this.#pausedUntil - now);
      const waits: readonly (readonly [number, string])[] = [
        [this.#freeAt(limits.perSecond, 1_000), `${String(limits.perSecond)} requests a second`],
        [
          this.#freeAt(limits.perMinute, MINUTE_MS),
          `${String(limits.perMinute)} requests a minute`,
        ],
        [day, `${String(this.day.allowance)} requests a day`],
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
    this.day.count(now);
    this.#log.push(now);
    const keep = Math.max(perSecond, perMinute);
    if (this.#log.length >= 2 * keep + 64) this.#log.splice(0, this.#log.length - keep);
  }

  #refuseUnlessWaiting(waitMs: number): void {
    const { clock, onQuotaExhausted, limits } = this.#options;
    if (onQuotaExhausted === "wait") return;
    const made = this.day.used;
    const nextAt = iso(clock.now() + waitMs);
    const kept = limits.reserve === 0 ? "" : `, ${String(limits.reserve)} kept back`;
    const message = `daily quota: ${String(made)} requests made in 24 h${kept}; the next is possible at ${nextAt}`;
    throw new ConnectorError("quota", message, {
      hint: "run again after that; if the account may make more requests, raise rate_limit.per_day",
      context: { requests: made, nextAt, possible: this.day.forecast() },
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
