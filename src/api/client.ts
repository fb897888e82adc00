import type { Clock } from "../core/clock.js";
import { ConnectorError, type ErrorKind } from "../core/errors.js";
import type { Emit } from "../core/events.js";
import { isObject } from "../core/json.js";
import type { SourceMemory } from "../core/state.js";
import { attempt, type Call, type Part, type Wire } from "./attempt.js";
import { RateLimiter, type OnQuotaExhausted } from "./limiter.js";
import type { Environment } from "./proxy.js";
import { withRetry, type RetryLimits } from "./retry.js";
import { throughFetch, wayTo } from "./transport.js";

/** Requests a day that every account has, before its seats are added. Source: KnowBe4's API reference, "Rate limiting". */
const BASE_PER_DAY = 2_000;

/** Requests before the base is spent, from which the account is asked for its seats. */
const ASK_FROM = BASE_PER_DAY - 50;

/** Path of the account, whose answer says how many seats there are. */
export const ACCOUNT_PATH = "/v1/account";

/** Failures that the request in hand would meet as well. */
const ENDS_THE_RUN: ReadonlySet<ErrorKind> = new Set(["auth", "cancelled", "quota"]);

/** How listings are paged: as the API is found to do, or one way by force. */
export type Pagination = "auto" | "page" | "cursor";

/** What a client is made of. */
export interface ClientOptions {
  /** From `baseUrl`; no slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly clock: Clock;
  /** A number from 0 up to, not including, 1: for jitter. */
  readonly random: () => number;
  readonly emit: Emit;
  /** Takes the place of the connection. */
  readonly fetch?: typeof fetch;
  /** Requests in any second, minute and day; 0 is no limit; null is 2,000 plus the seats. */
  readonly rateLimit: {
    readonly perSecond: number;
    readonly perMinute: number;
    readonly perDay: number | null;
    /** Requests of each day that are left to others; 0 unless given. */
    readonly reserve?: number;
  };
  readonly onQuotaExhausted: OnQuotaExhausted;
  /** Default 8 attempts within 600 s. */
  readonly retry?: RetryLimits;
  /** Milliseconds without a byte after which an attempt is given up; default 60,000. */
  readonly requestTimeoutMs?: number;
  /** Rows asked for per page; default and most 500. */
  readonly pageSize?: number;
  /** Default `auto`. */
  readonly pagination?: Pagination;
  readonly userAgent: string;
  /** Where HTTPS_PROXY, HTTP_PROXY and NO_PROXY are looked up; default `process.env`. */
  readonly env?: Environment;
}

/** Reads single answers of the API; how answers make a listing is decided in `paging.ts`. */
export interface Client {
  /**
   * One GET, retried as a whole. A body too large for memory comes in several parts; a row is never
   * handed on twice, however often the request is repeated.
   *
   * @throws ConnectorError as `PageSource` says.
   */
  read(call: Call, signal: AbortSignal): AsyncGenerator<Part, void, undefined>;
  /** Requests of this client in the last 24 hours, and how many the day still allows (null: no limit). */
  readonly quota: {
    readonly used: number;
    readonly remaining: number | null;
    /** Requests that a whole day allows; null: no limit. */
    readonly allowance: number | null;
  };
  /** Goes on from what an earlier run remembers. Call before anything is read. */
  restore(earlier: Partial<SourceMemory>): void;
  /** What the next run must know of the quota. */
  readonly memory: Pick<SourceMemory, "seats" | "spent" | "until">;
  /** Where the account is asked: the host, or `loopback`. */
  readonly place: string;
  readonly pageSize: number;
  readonly pagination: Pagination;
  readonly emit: Emit;
}

/**
 * A client for one account. Nothing is sent until something is read.
 *
 * @throws ConnectorError `config` if the key holds characters that no HTTP header can carry.
 */
export function createClient(options: ClientOptions): Client {
  return new HttpClient(options);
}

class HttpClient implements Client {
  readonly pageSize: number;
  readonly pagination: Pagination;
  readonly emit: Emit;
  readonly place: string;
  readonly #options: ClientOptions;
  readonly #reserve: number;
  readonly #limiter: RateLimiter;
  readonly #limits: RetryLimits;
  #wire: Promise<Wire> | undefined;
  /**
   * Nobody answered a request for as long as it was tried, and nobody has since. What follows is tried
   * once: a dozen streams must not each wait ten minutes for a network that is down.
   */
  #isUnreachable = false;
  #seats: Promise<void> | undefined;
  #seatCount: number | undefined;

  constructor(options: ClientOptions) {
    if (!/^[\x21-\x7e]+$/.test(options.apiKey)) {
      throw new ConnectorError(
        "config",
        "api_key: holds a space, a line break or another character that no key has",
        {
          hint: "copy the key again, without quotes and line breaks",
          context: { setting: "api_key" },
        },
      );
    }
    this.#options = options;
    this.pageSize = options.pageSize ?? 500;
    this.pagination = options.pagination ?? "auto";
    this.emit = options.emit;
    this.#limits = options.retry ?? { maxAttempts: 8, maxSeconds: 600 };
    const { clock, emit, onQuotaExhausted, rateLimit } = options;
    this.#reserve = rateLimit.reserve ?? 0;
    this.#limiter = new RateLimiter({
      clock,
      emit,
      limits: {
        ...rateLimit,
        perDay: rateLimit.perDay ?? BASE_PER_DAY,
        reserve: this.#reserve,
      },
      onQuotaExhausted,
      patienceMs: this.#limits.maxSeconds * 1000,
    });
    // What cannot be kept back of the base alone may be possible once the seats are known.
    if (rateLimit.perDay !== null) this.#limiter.day.setLimit(rateLimit.perDay);
    const { host, hostname } = new URL(options.baseUrl);
    this.place = /(^|\.)knowbe4\.com$/.test(hostname) ? host : "loopback";
  }

  get quota(): Client["quota"] {
    const { used, remaining, allowance } = this.#limiter.day;
    return { used, remaining, allowance };
  }

  restore(earlier: Partial<SourceMemory>): void {
    this.#limiter.restore(earlier);
    if (earlier.seats !== undefined) this.#allow(earlier.seats);
  }

  get memory(): Client["memory"] {
    const seats = this.#seatCount;
    return { ...(seats === undefined ? {} : { seats }), ...this.#limiter.memory };
  }

  async *read(call: Call, signal: AbortSignal): AsyncGenerator<Part, void, undefined> {
    if (call.endpoint !== ACCOUNT_PATH) await this.#learnSeats(call.stream, signal);
    const wire = await (this.#wire ??= this.#connect());
    const { clock, emit, random, onQuotaExhausted } = this.#options;
    const given = new Map<string, number>();
    const subject = `${call.stream}: GET ${call.endpoint}${call.position}`;
    const run = (count: number) => attempt(wire, call, { count, given }, signal);
    const retry = {
      clock,
      random,
      emit,
      limiter: this.#limiter,
      limits: this.#isUnreachable ? { ...this.#limits, maxAttempts: 1 } : this.#limits,
      onQuotaExhausted,
    };
    try {
      for await (const part of withRetry(subject, run, retry, signal)) {
        this.#isUnreachable = false;
        if (call.endpoint === ACCOUNT_PATH) this.#takeSeats(part.items[0]);
        yield part;
      }
    } catch (error) {
      this.#isUnreachable ||= isUnreachable(error);
      throw error;
    }
  }

  async #connect(): Promise<Wire> {
    const { apiKey, baseUrl, clock, emit, env, requestTimeoutMs, userAgent } = this.#options;
    const headers = {
      accept: "application/json",
      authorization: `Bearer ${apiKey}`,
      "user-agent": userAgent,
    };
    const base = new URL(baseUrl);
    const given = this.#options.fetch;
    const send = given === undefined ? await wayTo(base, env ?? process.env) : throughFetch(given);
    return {
      baseUrl,
      host: base.host,
      headers,
      secrets: [apiKey],
      clock,
      emit,
      limiter: this.#limiter,
      send,
      silenceMs: requestTimeoutMs ?? 60_000,
    };
  }

  /** Asks for the seats once, shortly before the requests that every account has are spent. */
  async #learnSeats(stream: string, signal: AbortSignal): Promise<void> {
    if (this.#options.rateLimit.perDay !== null) return;
    const isEnough = this.#limiter.day.used < ASK_FROM - this.#reserve;
    if (this.#seats === undefined && isEnough) return;
    this.#seats ??= this.#askSeats(stream, signal);
    await this.#seats;
  }

  async #askSeats(stream: string, signal: AbortSignal): Promise<void> {
    const call = { stream, endpoint: ACCOUNT_PATH, path: ACCOUNT_PATH, query: {}, position: "" };
    try {
      for await (const _ of this.read({ ...call, shape: "object" }, signal));
    } catch (error) {
      if (!(error instanceof ConnectorError) || ENDS_THE_RUN.has(error.kind)) {
        this.#seats = undefined;
        throw error;
      }
      const message = "the account's seats cannot be read: the daily limit stays at 2,000 requests";
      this.emit({ type: "warning", stream: null, message });
    }
  }

  #takeSeats(account: unknown): void {
    if (!isObject(account)) return;
    const seats = account["number_of_seats"];
    if (!Number.isSafeInteger(seats) || Number(seats) < 0) return;
    this.#allow(Number(seats));
    this.#seats = Promise.resolve();
  }

  /** A day has a request more for each seat, unless the settings say how many it has. */
  #allow(seats: number): void {
    this.#seatCount = seats;
    if (this.#options.rateLimit.perDay !== null) return;
    this.#limiter.day.setLimit(BASE_PER_DAY + seats);
  }
}

/** True for the error of a request that nobody answered. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof ConnectorError) || error.kind !== "unavailable") return false;
  return error.context["status"] === undefined || error.context["status"] === null;
}
