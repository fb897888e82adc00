import { iso, type Clock } from "../core/clock.js";
import { ConnectorError } from "../core/errors.js";
import type { Emit } from "../core/events.js";
import { readBody, Watchdog } from "./body.js";
import { cancelled } from "./cancel.js";
import { contextOf, html, refusal, toldWindow, usedUp, type Answered } from "./classify.js";
import { parseBody, parseRows, WHOLE_LIMIT } from "./decode.js";
import { Fault } from "./fault.js";
import type { RateLimiter } from "./limiter.js";
import { networkFault, silence } from "./network.js";
import { contentOf, unexpected, type Shape } from "./shape.js";
import type { Answer, Send } from "./transport.js";

/** One GET: what is asked, and how it is called in messages. */
export interface Call {
  readonly stream: string;
  /** Path with `{param}`: the only one that messages and events may show. */
  readonly endpoint: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Which of a listing's requests it is, as it goes on after the endpoint: " page 3", or "". */
  readonly position: string;
  readonly shape: Shape;
  /** Tells rows apart where a large body is asked for again. Needed for `rows`. */
  readonly itemKey?: (item: unknown) => string;
}

/** Some rows of an answer, in its order; mostly all of them. */
export interface Part {
  readonly items: readonly unknown[];
  /** ISO 8601 UTC, milliseconds. */
  readonly receivedAt: string;
  /** With the last part: the cursor of the next page, null if there is none. */
  readonly end: { readonly nextCursor: string | null } | null;
}

/** What attempts share. */
export interface Wire {
  readonly baseUrl: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly emit: Emit;
  readonly limiter: RateLimiter;
  readonly send: Send;
  /** Milliseconds without a byte after which an attempt is given up. */
  readonly silenceMs: number;
}

/** Which attempt at a request it is, and what earlier ones handed on. */
export interface Attempt {
  /** From 1. */
  readonly count: number;
  /** Rows handed on from a body that later broke off: key to number. Added to here. */
  readonly given: Map<string, number>;
}

/** What an attempt holds while it is under way. */
interface Exchange {
  readonly signal: AbortSignal;
  readonly watchdog: Watchdog;
  status: number | null;
}

/** Sends a request once and decodes its answer. @throws Fault; ConnectorError `cancelled`. */
export async function* attempt(
  wire: Wire,
  call: Call,
  which: Attempt,
  signal: AbortSignal,
): AsyncGenerator<Part, void, undefined> {
  const { clock, emit } = wire;
  const stop = new AbortController();
  const abort = () => stop.abort();
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const watchdog = new Watchdog(clock, wire.silenceMs, abort);
  const exchange: Exchange = { signal: stop.signal, watchdog, status: null };
  const startedAt = clock.monotonic();
  let isComplete = false;
  try {
    yield* parts(wire, call, which.given, exchange);
    isComplete = true;
  } catch (error) {
    if (signal.aborted) throw cancelled(signal);
    if (watchdog.barked) throw silence(wire.host, wire.silenceMs);
    // A setting may turn out wrong by what an answer says: asking again does not help.
    throw error instanceof Fault || error instanceof ConnectorError
      ? error
      : networkFault(error, { host: wire.host, status: exchange.status, secrets: wire.secrets });
  } finally {
    watchdog.rest();
    signal.removeEventListener("abort", abort);
    // What is left of an answer that nobody wants need not be downloaded.
    if (!isComplete) stop.abort();
    const { stream, endpoint } = call;
    const ms = Math.round(clock.monotonic() - startedAt);
    emit({ type: "request", stream, endpoint, status: exchange.status, attempt: which.count, ms });
  }
}

async function* parts(
  wire: Wire,
  call: Call,
  given: Map<string, number>,
  exchange: Exchange,
): AsyncGenerator<Part, void, undefined> {
  const { answer, response } = await send(wire, call, exchange);
  const body = await readBody(response, WHOLE_LIMIT, exchange.watchdog);
  const receivedAt = iso(wire.clock.now());
  const context = contextOf(answer);
  const header = answer.headers.get("x-next-cursor")?.trim() ?? "";
  const end = (inBody: string | null) => ({
    nextCursor: header === "" || header === "null" ? inBody : header,
  });
  if ("whole" in body) {
    if (startsAsHtml(body.whole)) throw html(answer);
    const { items, nextCursor } = contentOf(parseBody(body.whole), call.shape, context);
    yield { items: without(items, given, call), receivedAt, end: end(nextCursor) };
    return;
  }
  if (call.shape === "object") throw unexpected("more than 8 MB", "an object", context);
  const skip = new Map(given);
  const rows = parseRows(body.pieces);
  for (;;) {
    const next = await rows.next();
    if (next.done === true) {
      const { nextCursor } = contentOf(next.value, call.shape, context, given.size);
      yield { items: [], receivedAt, end: end(nextCursor) };
      return;
    }
    const items = without(next.value, skip, call);
    for (const item of items) {
      const key = keyOf(item, call);
      given.set(key, (given.get(key) ?? 0) + 1);
    }
    if (items.length > 0) yield { items, receivedAt, end: null };
  }
}

/** Sends the request and looks at everything but the body. @throws Fault if that is bad enough. */
async function send(
  wire: Wire,
  call: Call,
  exchange: Exchange,
): Promise<{ readonly answer: Answered; readonly response: Answer }> {
  const search = new URLSearchParams(call.query).toString();
  const url = wire.baseUrl + call.path + (search === "" ? "" : `?${search}`);
  const response = await wire.send(url, wire.headers, exchange.signal);
  const { status, headers } = response;
  exchange.status = status;
  const answer = { status, headers, host: wire.host, url, now: wire.clock.now() };
  const told = toldWindow(answer);
  if (told !== null) wire.limiter.day.correct(told.limit, told.remaining);
  const fault = refusal(answer);
  if (fault !== undefined) throw fault;
  const full = usedUp(answer);
  if (full !== null) wire.limiter.pauseForWindow(full.waitMs);
  return { answer, response };
}

/** The rows that were not handed on before; takes those that were out of `given`. */
function without(
  rows: readonly unknown[],
  given: Map<string, number>,
  call: Call,
): readonly unknown[] {
  if (given.size === 0) return rows;
  return rows.filter((row) => {
    const key = keyOf(row, call);
    const left = given.get(key) ?? 0;
    if (left > 0) given.set(key, left - 1);
    return left === 0;
  });
}

function keyOf(row: unknown, call: Call): string {
  return call.itemKey?.(row) ?? "";
}

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

function startsAsHtml(bytes: Uint8Array): boolean {
  const first = bytes.find((byte) => !SPACE.has(byte));
  return first === "<".charCodeAt(0);
}
