import { setImmediate as nextTurn } from "node:timers/promises";

import { ConnectorError } from "../../src/core/errors.js";
import type { Listing, Page, PageSource, SourceMemory } from "../../src/core/ports.js";

/** What one request of a listing is answered with: a page, or a failure. */
export type Answer = readonly unknown[] | Error;

/**
 * Answers by path, or by path and query where one path answers differently:
 * `"/v1/results"`, `"/v1/results?course_id=3"`. One answer per page.
 */
export type Script = Readonly<Record<string, readonly Answer[]>>;

/** An account in memory, and what was asked of it. */
export interface ScriptedSource extends PageSource {
  /** One line per request, in the order they were sent: `/v1/people`, `/v1/people#2`. */
  readonly requests: readonly string[];
}

/** Knobs of {@link scriptedSource}. */
export interface SourceOptions {
  readonly memory?: SourceMemory;
  /** Turns of the event loop before a request is answered. */
  readonly turns?: (request: string) => number;
  /** Called before each request: the place to pull the plug at. */
  readonly onRequest?: (request: string) => void;
}

/** A page source that plays a script. A request that is not in it fails the run as a bug. */
export function scriptedSource(script: Script, options: SourceOptions = {}): ScriptedSource {
  const requests: string[] = [];
  return {
    requests,
    memory: options.memory ?? { paging: null },
    async *pages(listing: Listing, signal: AbortSignal): AsyncGenerator<Page> {
      const name = nameOf(listing);
      const answers = script[name] ?? script[listing.path];
      for (const [index, answer] of (answers ?? [undefined]).entries()) {
        const request = index === 0 ? name : `${name}#${String(index + 1)}`;
        options.onRequest?.(request);
        signal.throwIfAborted();
        requests.push(request);
        for (let turn = options.turns?.(request) ?? 0; turn > 0; turn--) await nextTurn();
        signal.throwIfAborted();
        if (answer === undefined) throw new Error(`the script has no answer to ${request}`);
        if (answer instanceof Error) throw answer;
        yield { items: answer, receivedAt: RECEIVED_AT };
      }
    },
  };
}

/** When every page of a scripted source arrives. */
const RECEIVED_AT = "2026-06-01T00:00:01.000Z";

/** Path with its query, keys in order. */
function nameOf(listing: Listing): string {
  const query = new URLSearchParams(listing.query);
  query.sort();
  return query.size === 0 ? listing.path : `${listing.path}?${query.toString()}`;
}

/** What the API client throws when a listing is not there. */
export function notFound(path = "/v1/gone"): ConnectorError {
  return new ConnectorError("api_contract", `GET ${path} answered 404`, {
    context: { status: 404 },
  });
}

/** What the API client throws after the last retry. */
export function unavailable(): ConnectorError {
  return new ConnectorError("unavailable", "GET answered 503 five times", {
    context: { status: 503 },
  });
}

/** What the API client throws once the day's requests are spent. */
export function quotaSpent(): ConnectorError {
  return new ConnectorError("quota", "the daily quota is spent");
}

/** What the API client throws when the key is refused. */
export function refused(): ConnectorError {
  return new ConnectorError("auth", "KnowBe4 refused the key", { context: { status: 401 } });
}

/** The reason that a signal aborts with. */
export function stopped(): ConnectorError {
  return new ConnectorError("cancelled", "stopped by SIGTERM", { context: { signal: "SIGTERM" } });
}
