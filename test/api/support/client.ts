import { createClient, type Client, type ClientOptions } from "../../../src/api/client.js";
import { createSource } from "../../../src/api/paging.js";
import { ConnectorError } from "../../../src/core/errors.js";
import type { SyncEvent } from "../../../src/core/events.js";
import type { Listing, Page, PageSource, SourceMemory } from "../../../src/core/ports.js";
import { fakeClock, type FakeClock } from "../../support/clock.js";

/** The key that every test client has: must never show up anywhere. */
export const KEY = "test-key-c0ffee";

/** Jitter is half of its range. */
const HALF = () => 0.5;

/** A client on a fake clock, and what it did. */
export interface Bench {
  readonly client: Client;
  readonly clock: FakeClock;
  readonly events: readonly SyncEvent[];
  source(earlier?: SourceMemory): PageSource;
}

/** A client of a server; no rate limits unless given. */
export function bench(baseUrl: string, options: Partial<ClientOptions> = {}): Bench {
  const clock = fakeClock();
  const events: SyncEvent[] = [];
  const client = createClient({
    baseUrl,
    apiKey: KEY,
    clock,
    random: HALF,
    emit: (event) => events.push(event),
    rateLimit: { perSecond: 0, perMinute: 0, perDay: 0 },
    onQuotaExhausted: "stop",
    userAgent: "knowbe4-connector/test",
    env: {},
    ...options,
  });
  return {
    client,
    clock,
    events,
    source: (earlier) => createSource(client, earlier === undefined ? {} : { earlier }),
  };
}

/** The users' listing, or another one. */
export function listing(changes: Partial<Listing> = {}): Listing {
  return {
    stream: "users",
    endpoint: "/v1/users",
    path: "/v1/users",
    query: {},
    kind: "pages",
    itemKey: (item) => String((item as { id?: unknown }).id),
    ...changes,
  };
}

/** A signal that nobody aborts. */
export function noAbort(): AbortSignal {
  return new AbortController().signal;
}

/** Every item of a listing, in order. */
export async function readAll(
  source: PageSource,
  changes: Partial<Listing> = {},
  signal: AbortSignal = noAbort(),
): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const page of source.pages(listing(changes), signal)) items.push(...page.items);
  return items;
}

/** Every page of a listing, in order. */
export async function readPages(
  source: PageSource,
  changes: Partial<Listing> = {},
): Promise<Page[]> {
  const pages: Page[] = [];
  for await (const page of source.pages(listing(changes), noAbort())) pages.push(page);
  return pages;
}

/** The error that something ends with. Fails the test if it does not, or with a foreign one. */
export async function errorOf(promise: Promise<unknown>): Promise<ConnectorError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

/** Rows with ids from 1. */
export function rows(count: number, from = 1): readonly { readonly id: number }[] {
  return Array.from({ length: count }, (_, i) => ({ id: from + i }));
}

/** Every item of a listing that comes in one answer: a single request, if all goes well. */
export async function readOnce(
  source: PageSource,
  changes: Partial<Listing> = {},
  signal: AbortSignal = noAbort(),
): Promise<unknown[]> {
  return readAll(source, { kind: "whole", ...changes }, signal);
}
