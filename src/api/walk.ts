import { ConnectorError } from "../core/errors.js";
import type { ListingEnd } from "../core/proof.js";
import type { Listing, Page } from "../core/ports.js";
import type { Call, Part } from "./attempt.js";
import type { Client, Pagination } from "./client.js";
import { KeyCount } from "./keycount.js";
import { PageKeys, RecentPages, Repeats } from "./repeats.js";

export type Query = Readonly<Record<string, string>>;

/** How listings are paged. */
export type Way = "cursor" | "page";

/** How a page ended: what decides whether another one is asked for. */
export interface PageEnd {
  readonly rows: number;
  /** Rows that no page before had, as far back as pages are remembered. */
  readonly fresh: number;
  readonly nextCursor: string | null;
  /** The same rows came on an earlier page of the listing. */
  readonly isRepeated: boolean;
  /** Its first row is one of those that are known to follow each other without a gap. */
  readonly isTied: boolean;
  /** Its first row is the listing's first one. */
  readonly isStart: boolean;
}

/** One listing being read: which pages came, and what is wrong if one comes again. */
export class Walk {
  readonly #client: Client;
  readonly #listing: Listing;
  readonly #signal: AbortSignal;
  readonly #keys = new KeyCount();
  readonly #recent = new RecentPages();
  #digests = new Repeats();
  #start: string | undefined;
  #moved = 0;
  #rows = 0;
  #reread = 0;
  /** Its pages could not be made to overlap: rows that move meanwhile may be missed. */
  isLoose = false;
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

  /**
   * One page of the listing, in as many parts as it takes; rows of pages before left out.
   *
   * @param position as {@link Call.position}; empty for the page that the listing begins with.
   * @param asked rows that are known to have come and are asked for once more.
   */
  async *page(query: Query, position: string, asked = 0): AsyncGenerator<Page, PageEnd, undefined> {
    const { itemKey } = this.#listing;
    const keys = new PageKeys(this.#recent, this.#keys);
    let end: PageEnd | undefined;
    // Read to the end of the iteration, not only of the rows: else the request counts as given up.
    for await (const part of this.#read(query, position)) {
      const items = keys.add(part.items, itemKey);
      if (part.end !== null) end = this.#endOf(keys, part.end.nextCursor, position);
      const isNew = end?.isRepeated !== true && items.length > 0;
      if (isNew) yield { items, receivedAt: part.receivedAt };
    }
    if (end === undefined) {
      throw new ConnectorError("internal", `${this.#listing.stream}: an answer without an end`);
    }
    keys.isTied = end.isTied;
    if (!end.isRepeated) {
      const again = end.rows - end.fresh;
      this.#moved += Math.max(0, again - asked);
      this.#rows += end.rows - Math.min(again, asked);
    }
    this.#recent.push(keys);
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

  /** From here on, rows may come again from further back than the page before. */
  rememberMore(): void {
    this.#recent.isDeep = true;
  }

  /** How many of the rows that came last are remembered. */
  get remembered(): number {
    return this.#recent.count;
  }

  /** The listing is read from its beginning in another way: pages may come as they came. */
  startOver(): void {
    this.#digests = new Repeats();
  }

  /** Rows have moved, and a page is read once more. Tells how often by now. */
  reread(): number {
    this.#reread += 1;
    return this.#reread;
  }

  /** The error for a server that would send us in circles, or leave rows out. */
  fault(how: string, instead: Pagination): ConnectorError {
    const hint = `set pagination to "${instead}": the server seems to ignore the way it was asked`;
    return this.contradiction(`answered ${how}`, hint);
  }

  /** The error for a listing that cannot be read completely. */
  contradiction(what: string, hint: string): ConnectorError {
    const { stream, endpoint } = this.#listing;
    const message = `${stream}: GET ${endpoint} ${what}`;
    return new ConnectorError("api_contract", message, { hint, context: { endpoint } });
  }

  /** Says something about the listing that is not a failure. */
  tell(what: string): void {
    const { stream, endpoint } = this.#listing;
    this.#client.emit({ type: "warning", stream, message: `GET ${endpoint}: ${what}` });
  }

  /** Says, once, that rows were left out because they had moved on to the next page. */
  tellMoved(): void {
    if (this.#moved > 0) {
      this.tell(`${String(this.#moved)} rows came again on the next page: left out there`);
    }
    if (this.#reread > 0) {
      this.tell(`rows moved while it was read: pages read again: ${String(this.#reread)}`);
    }
  }

  /** Says how the listing ended. */
  tellEnd(): void {
    const { kind, told } = this.#listing;
    if (kind === "object") told?.({ rows: 1, keys: 1, how: this.how });
    else told?.({ rows: this.#rows, keys: this.#keys.distinct, how: this.how });
  }

  #endOf(keys: PageKeys, nextCursor: string | null, position: string): PageEnd {
    const { count, fresh, first } = keys;
    const isRepeated = count > 0 && this.#digests.add(keys.digest());
    if (position === "") this.#start = first;
    return {
      rows: count,
      fresh,
      nextCursor,
      isRepeated,
      isTied: position === "" || (first !== undefined && this.#recent.ties(first)),
      isStart: first !== undefined && first === this.#start,
    };
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

/** Where in a listing a page is, for {@link Walk.page}. */
export function positionOf(number: number): string {
  return number === 1 ? "" : ` page ${String(number)}`;
}
