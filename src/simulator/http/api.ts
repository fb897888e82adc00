import { guid } from "../account/guid.js";
import type { Row } from "../account/json.js";
import type { StreamName } from "../account/streams.js";
import type { World } from "../account/world.js";
import { json, refusal, replaced, type Answer } from "./answer.js";
import { Bends } from "./bends.js";
import { FaultBook } from "./fault-book.js";
import type { Fault, FaultRule } from "./fault.js";
import type { Found } from "./find.js";
import {
  misread,
  pageRequest,
  readPage,
  type Page,
  type PageRequest,
  type PagingOptions,
} from "./paging.js";
import { QuotaMeter, type Quota } from "./quota.js";
import { findRoute, type FoundRoute } from "./routes.js";
import { faultyRows } from "./row-faults.js";

/** A request as the simulator saw it, and how it was answered. */
export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Null for a path that the API does not have. */
  readonly stream: StreamName | null;
  readonly status: number;
}

export interface ApiOptions extends PagingOptions {
  readonly apiKey: string;
  /** Where the next cursor stands: in `X-Next-Cursor`, or in an object around the rows. */
  readonly cursorIn: "header" | "envelope";
  readonly quota: Quota;
  readonly faults: readonly FaultRule[];
  /** The time for the quota's windows, in milliseconds. */
  readonly now: () => number;
}

/** What of a request decides its answer. */
interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly authorization: string | undefined;
}

/** A request of the account's holder, within the quota. */
interface Call {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly known: FoundRoute | undefined;
}

/** How many requests are remembered. */
const REMEMBERED = 10_000;

/** Answers requests. Nothing here waits, or knows of sockets. */
export class Api {
  readonly #world: World;
  readonly #options: ApiOptions;
  readonly #quota: QuotaMeter;
  readonly #faults: FaultBook;
  readonly #bends = new Bends();
  readonly #requests: SeenRequest[] = [];
  #requestCount = 0;

  constructor(world: World, options: ApiOptions) {
    this.#world = world;
    this.#options = options;
    this.#quota = new QuotaMeter(options.quota);
    this.#faults = new FaultBook(options.faults);
  }

  /** The last ones, oldest first. */
  get requests(): readonly SeenRequest[] {
    return this.#requests;
  }

  get requestCount(): number {
    return this.#requestCount;
  }

  addFault(rule: FaultRule): void {
    this.#faults.add(rule);
  }

  /** Forgets the rules, and what they did to lists. */
  clearFaults(): void {
    this.#faults.clear();
    this.#bends.clear();
  }

  answer({ method, target, authorization }: ApiRequest): Answer {
    const [path = "", search = ""] = target.split("?", 2);
    const query = new URLSearchParams(search);
    const known = method === "GET" ? findRoute(path) : undefined;
    const { headers, ...answer } = replaced(this.#check({ path, query, known }, authorization));
    this.#requestCount++;
    const stream = known?.stream ?? null;
    this.#requests.push({ method, path: target, stream, status: answer.status });
    if (this.#requests.length > REMEMBERED) this.#requests.shift();
    return {
      ...answer,
      headers: {
        "content-type": "application/json; charset=utf-8",
        "cache-control": "no-cache, no-store",
        "x-request-id": guid(this.#world.seed, this.#requestCount),
        ...headers,
      },
    };
  }

  #check(call: Call, authorization: string | undefined): Answer {
    if (authorization !== `Bearer ${this.#options.apiKey}`) return refusal(401, "Invalid Token");
    const { isOver, headers } = this.#quota.take(this.#options.now());
    if (isOver) return refusal(429, "Too Many Requests", { headers });
    const answer = this.#read(call);
    return { ...answer, headers: { ...headers, ...answer.headers } };
  }

  #read(call: Call): Answer {
    const { path, query, known } = call;
    const found = known?.find({ world: this.#world, query, ids: known.ids });
    if (found?.kind === "list") return this.#readList(call, found);
    const faults = this.#faults.take({ path, stream: known?.stream ?? null, page: 1 });
    switch (found?.kind) {
      case undefined:
        return refusal(404, "Not Found", { faults });
      case "object":
        return json(changed([found.row], faults)[0], faults);
      case "single":
        return json(changed([found.row], faults), faults);
      case "whole":
        return json(isEmptied(faults) ? [] : changed(found.rows, faults), faults);
    }
  }

  #readList({ path, query, known }: Call, found: Found & { readonly kind: "list" }): Answer {
    const id = listId(path, query);
    const bend = this.#bends.of(id);
    const listing = bend.drifted(found.listing);
    const { paging, cap } = this.#options;
    const asked = pageRequest(query, listing, { paging, cap: Math.min(cap, found.cap) });
    const page = asked?.page ?? 1;
    const faults = this.#faults.take({ path, stream: known?.stream ?? null, page });
    if (asked === null) return refusal(400, "Invalid cursor", { faults });
    const request = misread(asked, faults);
    const { rows, nextCursor } = readPage(listing, request, faults, bend);
    this.#bends.remember(id, request.page, faults);
    return this.#wrap({ rows: changed(rows, faults), nextCursor }, request, faults);
  }

  #wrap({ rows, nextCursor }: Page, { way, size }: PageRequest, faults: readonly Fault[]): Answer {
    // An envelope around nothing has not been seen: the API answers with an empty array.
    if (way === "cursor" && this.#options.cursorIn === "envelope" && rows.length > 0) {
      return json({ data: rows, pagination: { per_page: size, next_cursor: nextCursor } }, faults);
    }
    return json(rows, faults, nextCursor === null ? {} : { "x-next-cursor": String(nextCursor) });
  }
}

function changed(rows: readonly Row[], faults: readonly Fault[]): readonly Row[] {
  return faults.reduce(faultyRows, rows);
}

function isEmptied(faults: readonly Fault[]): boolean {
  return faults.some(({ kind }) => kind === "empty");
}

/** What is the same for all pages of a list. */
function listId(path: string, query: URLSearchParams): string {
  const filters = new URLSearchParams(query);
  for (const name of ["cursor", "page", "per_page"]) filters.delete(name);
  filters.sort();
  return `${path}?${filters.toString()}`;
}
