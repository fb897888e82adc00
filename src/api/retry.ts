import { iso, type Clock } from "../core/clock.js";
import { ConnectorError } from "../core/errors.js";
import type { Emit } from "../core/events.js";
import { cancelled, sleep } from "./cancel.js";
import { Fault, type FaultFacts } from "./fault.js";
import { askedToWait, type OnQuotaExhausted, type RateLimiter } from "./limiter.js";

/** How long a request is tried again. */
export interface RetryLimits {
  /** Times it is sent at most. */
  readonly maxAttempts: number;
  /** Seconds that its attempts and the waits between them may take. */
  readonly maxSeconds: number;
}

/** What trying again needs. */
export interface RetryOptions {
  readonly clock: Clock;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  readonly emit: Emit;
  readonly limiter: RateLimiter;
  readonly limits: RetryLimits;
  readonly onQuotaExhausted: OnQuotaExhausted;
}

const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MOST_MS = 60_000;

/** After a 429 that does not say how long: nearer to the minute over which KnowBe4 counts. */
const LIMITED_FIRST_MS = 8_000;
const LIMITED_MOST_MS = 60_000;

const TELL_FROM_MS = 5_000;

/** The attempts at one request so far. */
interface History {
  readonly subject: string;
  readonly count: number;
  /** Wall time since the first attempt was sent, ms. */
  readonly tookMs: number;
  /** Whether every attempt ended in the same way. */
  readonly alike: boolean;
}

/**
 * Runs a request until it succeeds, its fault cannot be cured, or patience ends. The whole of it is
 * repeated: request, body and decoding. What an attempt yields is handed on at once.
 *
 * @param subject `users: GET /v1/users page 3`, for messages.
 * @param run one attempt, numbered from 1. Throws a Fault if it fails.
 * @throws ConnectorError of the last fault's kind; `quota` from the limiter; `cancelled`.
 */
export async function* withRetry<T>(
  subject: string,
  run: (attempt: number) => AsyncGenerator<T, void, undefined>,
  options: RetryOptions,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const { clock, limiter } = options;
  // Time in which a consumer works, or the limiter holds us back, is not the request's.
  let spentMs = 0;
  let alike = true;
  let first: { readonly atMs: number; readonly what: string } | undefined;
  for (let count = 1; ; count++) {
    await limiter.acquire(signal);
    const attempt = run(count);
    const sentAt = clock.monotonic();
    try {
      for (;;) {
        const askedAt = clock.monotonic();
        const next = await timed(attempt, () => (spentMs += clock.monotonic() - askedAt));
        if (next.done === true) return;
        yield next.value;
      }
    } catch (error) {
      if (signal.aborted) throw cancelled(signal);
      if (!(error instanceof Fault)) throw error;
      const { what } = error.facts;
      first ??= { atMs: sentAt, what };
      alike &&= first.what === what;
      const record = { subject, count, tookMs: clock.monotonic() - first.atMs, alike };
      spentMs += await pause(error.facts, record, spentMs, options, signal);
    } finally {
      await attempt.return();
    }
  }
}

async function timed<T>(
  attempt: AsyncGenerator<T, void, undefined>,
  add: () => void,
): Promise<IteratorResult<T, void>> {
  try {
    return await attempt.next();
  } finally {
    add();
  }
}

/** Waits before the next attempt, and says how long; or gives up. */
async function pause(
  facts: FaultFacts,
  record: History,
  spentMs: number,
  options: RetryOptions,
  signal: AbortSignal,
): Promise<number> {
  const { clock, emit, limiter, limits, onQuotaExhausted } = options;
  if (facts.kind === "quota") limiter.refused();
  if (facts.retry === "never" || record.count >= limits.maxAttempts) throw failure(facts, record);
  const waitMs = facts.waitMs ?? jittered(facts, record.count, options.random);
  const isOutOfTime = spentMs + waitMs > limits.maxSeconds * 1000;
  // Only where the server names the time is there something to sleep for.
  const isWorthWaiting =
    facts.kind === "quota" && facts.waitMs !== undefined && onQuotaExhausted === "wait";
  if (isOutOfTime && !isWorthWaiting) {
    // Remembered, so that the next run does not ask before that either.
    if (facts.kind === "quota") limiter.pauseUntil(clock.monotonic() + (facts.waitMs ?? 0));
    throw outOfTime(facts, record, clock.now() + waitMs);
  }
  if (facts.retry === "limited") {
    // The limiter does the waiting: every request is held back, this one with them.
    limiter.pauseUntil(clock.monotonic() + waitMs);
    return isOutOfTime ? 0 : waitMs;
  }
  const reason = `${record.subject} ${facts.what}: trying again`;
  if (waitMs >= TELL_FROM_MS) emit({ type: "waiting", reason, waitMs });
  await sleep(clock, waitMs, signal);
  return waitMs;
}

/** Full jitter for faults; half of it for limits, where coming back at once helps nobody. */
function jittered(facts: FaultFacts, count: number, random: () => number): number {
  if (facts.retry === "limited") {
    const ceiling = Math.min(LIMITED_MOST_MS, LIMITED_FIRST_MS * 2 ** (count - 1));
    return Math.round(ceiling * (0.5 + random() / 2));
  }
  return Math.round(Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** (count - 1)) * random());
}

function outOfTime(facts: FaultFacts, record: History, atMs: number): ConnectorError {
  if (facts.waitMs === undefined) return failure(facts, record);
  const subject = `${outcome(facts, record)} and`;
  if (facts.kind === "quota") return askedToWait(subject, iso(atMs), facts.context);
  const context = { ...facts.context, attempts: record.count, nextAt: iso(atMs) };
  const message = `${subject} asks to wait until ${iso(atMs)}`;
  return new ConnectorError(facts.kind, message, { hint: "run again after that", context });
}

/** The error that ends the retries. */
function failure(facts: FaultFacts, record: History): ConnectorError {
  const hint = facts.hint ?? HINTS[facts.kind];
  return new ConnectorError(facts.kind, outcome(facts, record), {
    ...(hint === undefined ? {} : { hint }),
    context: { ...facts.context, attempts: record.count },
    cause: facts.cause,
  });
}

const HINTS: Readonly<Partial<Record<FaultFacts["kind"], string>>> = {
  quota:
    "run again later; other programs may be using the account's quota too, and rate_limit may be set too high",
  unavailable:
    "run again later: what was read is kept; retry.max_attempts and retry.max_seconds say how long to try",
  api_contract: "run again; if it stays, report it with the request's id",
};

function outcome(facts: FaultFacts, record: History): string {
  const { subject, count, alike } = record;
  const seconds = String(Math.round(record.tookMs / 1000));
  if (count === 1) return `${subject} ${facts.what}`;
  if (alike) return `${subject} ${facts.what} ${String(count)} times in ${seconds} s`;
  return `${subject} failed ${String(count)} times in ${seconds} s; at last it ${facts.what}`;
}
