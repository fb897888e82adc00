import { DAY_MS, iso, type Clock } from "../core/clock.js";
import { ConnectorError } from "../core/errors.js";
import type { Emit } from "../core/events.js";
import type { SourceMemory } from "../core/state.js";
import { instantsOf, quarterAfter, quartersOf } from "../core/window.js";

/** The least limit that only a day can have: KnowBe4's smaller windows are far below it. */
const DAY_LIMIT_FROM = 2_000;

/** Timers may fire a little early and clocks may be coarse: windows are this much longer. */
export const SLACK_MS = 1;

/** What a {@link DayWindow} needs. */
export interface DayOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Requests in any 24 hours; 0 is no limit. */
  readonly perDay: number;
  /** Requests of each day that are left to whoever else uses the key. */
  readonly reserve: number;
}

/**
 * The requests of the last 24 hours: those of this run, of earlier ones, and of others as far as
 * the server tells.
 */
export class DayWindow {
  readonly #options: DayOptions;
  #perDay: number;
  /** Monotonic ms, oldest first. */
  #log: number[] = [];

  constructor(options: DayOptions) {
    this.#options = options;
    this.#perDay = options.perDay;
  }

  /**
   * Sets the limit that holds, once it is known for certain; 0 switches it off.
   *
   * @throws ConnectorError `config` if the reserve leaves nothing of it.
   */
  setLimit(perDay: number): void {
    this.#perDay = perDay;
    this.#checkReserve();
  }

  /** Goes on from what earlier runs made. Call before the first request. */
  restore(spent: NonNullable<SourceMemory["spent"]>): void {
    const { clock, emit } = this.#options;
    const [now, mono] = [clock.now(), clock.monotonic()];
    const { instants, ahead } = instantsOf(spent, now);
    this.#log = [...instants.map((at) => mono - (now - at)), ...this.#log];
    if (ahead === null) return;
    const message = `the state has requests of ${ahead}, but it is ${iso(now)}: the clock was set back; they count as made now`;
    emit({ type: "warning", stream: null, message });
  }

  /** For the next run. */
  get spent(): NonNullable<SourceMemory["spent"]> {
    const { clock } = this.#options;
    const [now, mono] = [clock.now(), clock.monotonic()];
    return quartersOf(
      this.#log.map((at) => now - (mono - at)),
      now,
    );
  }

  /**
   * The server tells a window of its own. One that is as large as a day's corrects ours: requests
   * that we know nothing of were made by others, and a lower limit is taken over.
   */
  correct(limit: number, remaining: number): void {
    if (limit < DAY_LIMIT_FROM || this.#perDay === 0) return;
    const now = this.#options.clock.monotonic();
    for (let n = limit - remaining - this.used; n > 0; n--) this.#log.push(now);
    if (limit < this.#perDay) this.setLimit(limit);
  }

  count(now: number): void {
    this.#log.push(now);
    const gone = indexAfter(this.#log, now - DAY_MS);
    if (gone >= 64) this.#log.splice(0, gone);
  }

  /** Requests that a day allows us; null if it has no limit. */
  get allowance(): number | null {
    // Never nothing: before the seats are known, the account must be asked for them.
    return this.#perDay === 0 ? null : Math.max(1, this.#perDay - this.#options.reserve);
  }

  /** Requests that the day still allows; null if it has no limit. */
  get remaining(): number | null {
    const { allowance } = this;
    return allowance === null ? null : Math.max(0, allowance - this.used);
  }

  /** Requests in the last 24 hours. */
  get used(): number {
    return this.#log.length - indexAfter(this.#log, this.#options.clock.monotonic() - DAY_MS);
  }

  /** When there is room for so many more, monotonic ms; 0 if there is now. */
  freeAt(requests = 1): number {
    const { allowance } = this;
    if (allowance === null) return 0;
    const nth = this.#log[this.#log.length - allowance + requests - 1];
    return nth === undefined ? 0 : nth + DAY_MS + SLACK_MS;
  }

  /** How much can go on at what time, in three steps at most: `212 at 2026-06-02T13:30Z, …`. */
  forecast(): string {
    const { clock } = this.#options;
    const [now, mono] = [clock.now(), clock.monotonic()];
    const allowance = this.allowance ?? 0;
    const steps = [1, Math.ceil(allowance / 2), allowance].map((requests) =>
      quarterAfter(now + Math.max(0, this.freeAt(requests) - mono)),
    );
    return [...new Set(steps)]
      .map((at) => {
        const gone = indexAfter(this.#log, mono + (at - now) - DAY_MS - SLACK_MS);
        const free = Math.min(allowance, allowance - this.#log.length + gone);
        return `${String(free)} at ${iso(at).slice(0, 16)}Z`;
      })
      .join(", ");
  }

  #checkReserve(): void {
    const { reserve } = this.#options;
    if (reserve === 0 || reserve < this.#perDay) return;
    const day = this.#perDay === 0 ? "no limit" : `${String(this.#perDay)} requests`;
    const message = `rate_limit.reserve: ${String(reserve)} requests cannot be kept back of a day with ${day}`;
    throw new ConnectorError("config", message, {
      hint: "keep fewer back, or set rate_limit.per_day",
      context: { setting: "rate_limit.reserve" },
    });
  }
}

/** Index of the first of ascending instants after another one. */
export function indexAfter(log: readonly number[], at: number): number {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((log[middle] ?? 0) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
