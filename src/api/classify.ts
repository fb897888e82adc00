import { DAY_MS } from "../core/clock.js";
import type { ErrorContext } from "../core/errors.js";
import { Fault, type FaultFacts } from "./fault.js";
import { REGION_HINT } from "./regions.js";
import type { HeaderLookup } from "./transport.js";

/** Where keys are made, for hints. Source: KnowBe4's API reference, "Authentication". */
export const KEY_HINT =
  "check api_key and region: Reporting API keys are made in the console under Account Settings > API; " +
  REGION_HINT;

const PLAN_HINT =
  "the Reporting API comes with Platinum and Diamond subscriptions and must be switched on in the console under Account Settings > API";

/** What is known about an answer before its body is read. */
export interface Answered {
  readonly status: number;
  readonly headers: HeaderLookup;
  /** Host that was asked. */
  readonly host: string;
  readonly url: string;
  /** Milliseconds since the epoch: for dates in Retry-After. */
  readonly now: number;
}

/** Why an answer is refused for its status or its headers; undefined if its body may be read. */
export function refusal(answer: Answered): Fault | undefined {
  const { status } = answer;
  if (status >= 200 && status < 300) return isHtml(answer) ? html(answer) : undefined;
  const context = contextOf(answer);
  const fault = (facts: Omit<FaultFacts, "what" | "context">) =>
    new Fault({ what: `answered ${String(status)}`, context, ...facts });
  if (status >= 300 && status < 400) return redirect(answer);
  if (status === 429) {
    // A window that has opened again is no reason to come back at once: we were refused just now.
    const waitMs = retryAfterMs(answer) ?? (resetMs(answer) || null);
    return fault({ kind: "quota", retry: "limited", ...(waitMs === null ? {} : { waitMs }) });
  }
  if (status === 408 || status >= 500) {
    const waitMs = retryAfterMs(answer);
    if (waitMs === null) return fault({ kind: "unavailable", retry: "backoff" });
    return fault({ kind: "unavailable", retry: "limited", waitMs });
  }
  if (status === 401) return fault({ kind: "auth", retry: "never", hint: KEY_HINT });
  if (status === 403) return fault({ kind: "forbidden", retry: "never", hint: PLAN_HINT });
  return fault({ kind: "api_contract", retry: "never" });
}

/** A proxy, not KnowBe4, refused us. */
export function proxyRefusal(status: number, cause?: unknown): Fault {
  return new Fault({
    kind: "unavailable",
    what: `was refused by the proxy (${String(status)})`,
    retry: "never",
    hint: "check the user, the password and the address in HTTPS_PROXY, and what the proxy lets through",
    context: { status },
    cause,
  });
}

/** Somebody else's page in place of KnowBe4's answer. */
export function html(answer: Answered): Fault {
  return new Fault({
    kind: "unavailable",
    what: `answered ${String(answer.status)} with a web page in place of JSON (from ${answer.host})`,
    retry: "backoff",
    hint: `look for a proxy, firewall or log-in page between here and ${answer.host}, or for maintenance at KnowBe4`,
    context: { ...contextOf(answer), host: answer.host },
  });
}

function isHtml(answer: Answered): boolean {
  return /^\s*(?:text\/html|application\/xhtml\+xml)/i.test(
    answer.headers.get("content-type") ?? "",
  );
}

/** The bearer token must not follow a redirect, and KnowBe4 sends none. */
function redirect(answer: Answered): Fault {
  const location = answer.headers.get("location") ?? "";
  const isAddress = location !== "" && URL.canParse(location, answer.url);
  const to = isAddress ? new URL(location, answer.url).host : "nowhere";
  return new Fault({
    kind: "unavailable",
    what: `answered ${String(answer.status)}: redirect refused, to ${to}`,
    retry: "never",
    hint: `look for a proxy or log-in page between here and ${answer.host}, and check api_url`,
    context: { ...contextOf(answer), to },
  });
}

/** Status and the id under which KnowBe4's support finds the request. */
export function contextOf(answer: Pick<Answered, "status" | "headers">): ErrorContext {
  const requestId = answer.headers.get("x-request-id");
  const known = requestId !== null && /^[\w-]{1,64}$/.test(requestId);
  return { status: answer.status, ...(known ? { requestId } : {}) };
}

/**
 * Milliseconds that Retry-After asks for, as seconds or as a date; null if it asks for nothing, for
 * none, or for a time that is over by our clock: coming back at once would be refused again. No
 * window is longer than a day.
 */
function retryAfterMs(answer: Answered): number | null {
  const value = answer.headers.get("retry-after")?.trim() ?? "";
  const isCount = /^\d{1,10}(?:\.\d+)?$/.test(value);
  // Not everything that JavaScript takes for a date is one: "-1" would be in 2001.
  const at = /^[A-Z]/i.test(value) ? Date.parse(value) : NaN;
  const waitMs = isCount ? Math.ceil(Number(value) * 1000) : at - answer.now;
  return waitMs > 0 ? Math.min(DAY_MS, waitMs) : null;
}

/**
 * Milliseconds until X-RateLimit-Reset, which servers give in seconds from now or from 1970: a day
 * at most.
 */
function resetMs(answer: Answered): number | null {
  const value = rateHeader(answer.headers, "reset");
  if (value === null) return null;
  const isEpoch = value > 1_000_000_000;
  const waitMs = Math.ceil(value * 1000) - (isEpoch ? answer.now : 0);
  return Math.max(0, Math.min(DAY_MS, waitMs));
}

/**
 * What an answer says about the server's own window: null if there is room in it or it says
 * nothing, else how long until there is, in ms, if known.
 */
export function usedUp(answer: Answered): { readonly waitMs: number | null } | null {
  if (rateHeader(answer.headers, "remaining") !== 0) return null;
  return { waitMs: retryAfterMs(answer) ?? resetMs(answer) };
}

/** The window that an answer tells of, whichever of the server's it is; null if of none. */
export function toldWindow(
  answer: Answered,
): { readonly limit: number; readonly remaining: number } | null {
  const limit = rateHeader(answer.headers, "limit");
  const remaining = rateHeader(answer.headers, "remaining");
  if (limit === null || remaining === null || remaining > limit || limit > 1e6) return null;
  return { limit, remaining };
}

function rateHeader(headers: HeaderLookup, name: string): number | null {
  const value = headers.get(`x-ratelimit-${name}`) ?? headers.get(`ratelimit-${name}`);
  return value !== null && /^\d{1,12}(?:\.\d+)?$/.test(value.trim()) ? Number(value) : null;
}
