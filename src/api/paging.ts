import { ConnectorError } from "../core/errors.js";
import type { ListingEnd } from "../core/proof.js";
import type { Listing, Page, PageSource, SourceMemory } from "../core/ports.js";
import type { Call, Part } from "./attempt.js";
import { ACCOUNT_PATH, type Client, type Pagination } from "./client.js";
import { Identity } from "./identity.js";
import { KeyCount } from "./keycount.js";
import { PageKeys, Repeats } from "./repeats.js";

/** Answers of a server that has no such page, in place of an empty one. */
const NO_SUCH_PAGE: ReadonlySet<unknown> = new Set([400, 404, 422]);

/** Rows per page when none are asked for, and at most. Source: KnowBe4's API reference, "Pagination". */
const PAGE_SIZES: ReadonlySet<number> = new Set([100, 500]);

type Query = Readonly<Record<string, string>>;
type Way = "cursor" | "page";

/** How a page ended: what decides whether another one is asked for. */
interface PageEnd {
  readonly rows: number;
  readonly nextCursor: string | null;
  /** The same rows came on an earlier page of the listing. */
  readonly isRepeated: boolean;
}

/** What a source goes on from. */
export interface SourceOptions {
  /** What the last run remembers. */
  readonly earlier?: SourceMemory;
  /** Ask first which account it is, and refuse the state of another one. */
  readonly identify?: true;
}

/**
 * Reads listings through a client, and finds out how this server pages.
 *
 * @throws while reading, ConnectorError `state` if the state is another account's.
 */
export function createSource(client: Client, options: SourceOptions = {}): PageSource {
  return new ApiSource(client, options);
}

class ApiSource implements PageSource {
  readonly #client: Client;
  readonly #earlier: Way | null;
  /** How listings are paged in this run, once it is known. */
  #way: Way | null;
  #probe: Promise<void> | undefined;
  readonly #identity: Identity | undefined;
  readonly #account: string | undefined;

  constructor(client: Client, { earlier, identify }: SourceOptions) {
    this.#client = client;
    this.#earlier = earlier?.paging ?? null;
    this.#account = earlier?.account;
    if (earlier !== undefined) client.restore(earlier);
    if (identify) this.#identity = new Identity(client, earlier?.account);
    this.#way = client.pagination === "page" ? "page" : null;
  }

  get #isByCursorOnly(): boolean {
    return this.#client.pagination === "cursor";
  }

  get memory(): SourceMemory {
    const account = this.#identity?.digest ?? this.#account;
    return {
      paging: this.#way ?? this.#earlier,
      ...(account === undefined ? {} : { account }),
      ...this.#client.memory,
    };
  }

  async *pages(listing: Listing, signal: AbortSignal): AsyncGenerator<Page, void, undefined> {
    await this.#identity?.check(listing.stream, signal);
    const known = listing.endpoint === ACCOUNT_PATH ? this.#identity?.take() : null;
    const walk = new Walk(this.#client, listing, signal);
    if (listing.kind === "object") {
      if (known == null) yield* walk.object();
      else yield known;
      walk.how = "object";
    } else if (listing.kind === "whole") yield* this.#whole(walk);
    else if (this.#way === "page" && !this.#isByCursorOnly) yield* this.#fromPage(1, walk);
    else yield* this.#byCursor(walk);
    walk.tellMoved();
    walk.tellEnd();
  }

  /** One request brings everything; unless it brings exactly a page, when nobody can tell. */
  async *#whole(walk: Walk): AsyncGenerator<Page, void, undefined> {
    const { rows } = yield* walk.page({}, "");
    walk.how = "whole";
    if (PAGE_SIZES.has(rows)) yield* this.#lookFurther(walk, {});
  }

  async *#byCursor(walk: Walk): AsyncGenerator<Page, void, undefined> {
    const size = { per_page: String(this.#client.pageSize) };
    const cursors = new Repeats();
    let end = yield* walk.page({ cursor: "true", ...size }, "");
    for (let number = 2; end.nextCursor !== null; number++) {
      this.#way = "cursor";
      if (end.rows === 0) return;
      if (cursors.add(end.nextCursor)) throw walk.fault("with a cursor that came before", "page");
      end = yield* walk.page({ cursor: end.nextCursor, ...size }, positionOf(number));
      if (end.isRepeated) throw walk.fault("with a page that came before", "cursor");
    }
    if (end.rows === 0) return;
    walk.how = "no cursor";
    // Any cursor, of this listing or another, proves that a listing without one has ended.
    if (end.rows > 1) await this.#decide(walk);
    if (this.#way === "page") {
      if (this.#isByCursorOnly) throw walk.fault("without a cursor, and pages by number", "auto");
      yield* this.#fromPage(2, walk);
    } else if (this.#way === null && !this.#isByCursorOnly && this.#earlier !== "cursor") {
      if ((yield* this.#lookFurther(walk, size)) > 0) this.#way ??= "page";
    }
  }

  /** Pages by number until one is empty: a short page is never the end. */
  async *#fromPage(
    first: number,
    walk: Walk,
    size: Query = { per_page: String(this.#client.pageSize) },
  ): AsyncGenerator<Page, void, undefined> {
    for (let number = first; ; number++) {
      const end = yield* walk.page({ page: String(number), ...size }, positionOf(number));
      if (end.rows === 0) {
        walk.how = "empty page";
        return;
      }
      if (end.isRepeated) throw walk.fault("with a page that came before", "cursor");
    }
  }

  /**
   * Asks for page 2 of what is whole unless the server pages: an answer that repeats page 1, or
   * that there is no such page, says that it is.
   *
   * @returns how many rows page 2 brought that page 1 had not.
   */
  async *#lookFurther(walk: Walk, size: Query): AsyncGenerator<Page, number, undefined> {
    let end: PageEnd;
    try {
      end = yield* walk.page({ page: "2", ...size }, positionOf(2));
    } catch (error) {
      if (error instanceof ConnectorError && NO_SUCH_PAGE.has(error.context["status"])) return 0;
      throw error;
    }
    if (end.rows === 0 || end.isRepeated) return 0;
    yield* this.#fromPage(3, walk, size);
    return end.rows;
  }

  /** Finds out once per run whether the server pages by cursor. @throws as the probe's request. */
  async #decide(walk: Walk): Promise<void> {
    while (this.#way === null) {
      if (this.#probe !== undefined) {
        // Somebody else's request: if it fails, that is told there, and we ask for ourselves.
        await this.#probe.catch(() => undefined);
        continue;
      }
      this.#probe = walk.probe().then((way) => {
        this.#way ??= way;
      });
      try {
        await this.#probe;
      } finally {
        this.#probe = undefined;
      }
    }
  }
}

/** One listing being read: which pages came, and what is wrong if one comes again. */
class Walk {
  readonly #client: Client;
  readonly #listing: Listing;
  readonly #signal: AbortSignal;
  readonly #digests = new Repeats();
  readonly #keys = new KeyCount();
  #before: PageKeys | undefined;
  #moved = 0;
  #rows = 0;
  /** Why the listing is over. */
  how: ListingEnd["how"] = "empty page";

  constructor(client: Client, listing: Listing, signal: AbortSignal) {
    this.#client = client;
    this.#listing = listing;
    this.#signal = signal;
  }

  async *object(): AsyncGenerator<Page, void, undefined> {
    const call = { ...this.#call({}, ""), shape: "object" } as const;
    for await (const { items, receivedAt } of this.#client.read(call, this.#signal)) {
      yield { items, receivedAt };
    }
  }

  /** One page of the listing, in as many parts as it takes; rows of the page before left out. */
  async *page(query: Query, position: string): AsyncGenerator<Page, PageEnd, undefined> {
    const { itemKey } = this.#listing;
    const keys = new PageKeys(this.#before, this.#keys);
    let moved = 0;
    let end: PageEnd | undefined;
    // Read to the end of the iteration, not only of the rows: else the request counts as given up.
    for await (const part of this.#read(query, position)) {
      const items = keys.add(part.items, itemKey);
      moved += part.items.length - items.length;
      if (part.end !== null) {
        const isRepeated = keys.count > 0 && this.#digests.add(keys.digest());
        end = { rows: keys.count, nextCursor: part.end.nextCursor, isRepeated };
      }
      const isNew = end?.isRepeated !== true && items.length > 0;
      if (isNew) yield { items, receivedAt: part.receivedAt };
    }
    if (end === undefined) {
      throw new ConnectorError("internal", `${this.#listing.stream}: an answer without an end`);
    }
    if (!end.isRepeated) {
      this.#moved += moved;
      this.#rows += end.rows;
      this.#before = keys;
    }
    return end;
  }

  /** Asks for one row of the listing with a cursor: a server that pages by cursor gives the next. */
  async probe(): Promise<Way> {
    let way: Way = "page";
    for await (const { end } of this.#read({ cursor: "true", per_page: "1" }, " (paging probe)")) {
      if (end !== null && end.nextCursor !== null) way = "cursor";
    }
    return way;
  }

  /** The error for a server that would send us in circles, or leave rows out. */
  fault(how: string, instead: Pagination): ConnectorError {
    const { stream, endpoint } = this.#listing;
    return new ConnectorError("api_contract", `${stream}: GET ${endpoint} answered ${how}`, {
      hint: `set pagination to "${instead}": the server seems to ignore the way it was asked`,
      context: { endpoint },
    });
  }

  /** Says, once, that rows were left out because they had moved on to the next page. */
  tellMoved(): void {
    if (this.#moved === 0) return;
    const { stream, endpoint } = this.#listing;
    const message = `GET ${endpoint}: ${String(this.#moved)} rows came again on the next page: left out there`;
    this.#client.emit({ type: "warning", stream, message });
  }

  /** Says how the listing ended. */
  tellEnd(): void {
    const { kind, told } = this.#listing;
    if (kind === "object") told?.({ rows: 1, keys: 1, how: this.how });
    else told?.({ rows: this.#rows, keys: this.#keys.distinct, how: this.how });
  }

  #read(query: Query, position: string): AsyncIterable<Part> {
    return this.#client.read({ ...this.#call(query, position), shape: "rows" }, this.#signal);
  }

  #call(query: Query, position: string): Omit<Call, "shape"> {
    const { stream, endpoint, path, itemKey } = this.#listing;
    return {
      stream,
      endpoint,
      path,
      itemKey,
      position,
      query: { ...this.#listing.query, ...query },
    };
  }
}

function positionOf(number: number): string {
  return number === 1 ? "" : ` page ${String(number)}`;
}
