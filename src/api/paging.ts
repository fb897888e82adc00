import { ConnectorError } from "../core/errors.js";
import type { Listing, Page, PageSource, SourceMemory } from "../core/ports.js";
import { ACCOUNT_PATH, type Client } from "./client.js";
import { Identity } from "./identity.js";
import { Repeats } from "./repeats.js";
import { readOverlapping, readPlain } from "./seams.js";
import { positionOf, Walk, type PageEnd, type Query, type Way } from "./walk.js";

/** Answers of a server that has no such page, in place of an empty one. */
const NO_SUCH_PAGE: ReadonlySet<unknown> = new Set([400, 404, 422]);

/** Rows per page when none are asked for, and at most. Source: KnowBe4's API reference, "Pagination". */
const PAGE_SIZES: ReadonlySet<number> = new Set([100, 500]);

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
  /** Streams of which was told that their pages do not overlap. */
  readonly #loose = new Set<string>();
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
    else if (this.#way === "page" && !this.#isByCursorOnly) yield* this.#byNumber(walk);
    else yield* this.#byCursor(walk);
    walk.tellMoved();
    if (walk.isLoose && !this.#loose.has(listing.stream)) {
      this.#loose.add(listing.stream);
      walk.tell("its pages do not overlap: rows that move while it is read may be missed");
    }
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
    const isOne = end.nextCursor === null;
    for (let number = 2; end.nextCursor !== null; number++) {
      this.#way = "cursor";
      if (end.rows === 0) return;
      if (cursors.add(end.nextCursor)) throw walk.fault("with a cursor that came before", "page");
      end = yield* walk.page({ cursor: end.nextCursor, ...size }, positionOf(number));
      if (end.isRepeated) throw walk.fault("with a page that came before", "cursor");
    }
    if (end.rows === 0) return;
    walk.how = "no cursor";
    const isAsked = end.rows > 1 && (await this.#decide(walk));
    if (this.#way === "page") {
      if (this.#isByCursorOnly) throw walk.fault("without a cursor, and pages by number", "auto");
      yield* readOverlapping(walk, this.#client.pageSize, end);
    } else if (
      this.#way === "cursor" &&
      isOne &&
      !isAsked &&
      (end.rows >= this.#client.pageSize || PAGE_SIZES.has(end.rows))
    ) {
      // Cursors of others prove nothing for this list if its only page is full.
      yield* this.#lookFurther(walk, size);
    } else if (this.#way === null && !this.#isByCursorOnly && this.#earlier !== "cursor") {
      if ((yield* this.#lookFurther(walk, size)) > 0) this.#way ??= "page";
    }
  }

  async *#byNumber(walk: Walk): AsyncGenerator<Page, void, undefined> {
    const { pageSize } = this.#client;
    const end = yield* walk.page({ page: "1", per_page: String(pageSize) }, "");
    yield* readOverlapping(walk, pageSize, end);
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
    yield* readPlain(walk, 3, size);
    return end.rows;
  }

  /**
   * Finds out once per run whether the server pages by cursor.
   *
   * @returns whether it was this listing that was asked.
   * @throws as the probe's request.
   */
  async #decide(walk: Walk): Promise<boolean> {
    let isAsked = false;
    while (this.#way === null) {
      if (this.#probe !== undefined) {
        // Somebody else's request: if it fails, that is told there, and we ask for ourselves.
        await this.#probe.catch(() => undefined);
        continue;
      }
      this.#probe = walk.probe().then((way) => {
        this.#way ??= way;
      });
      isAsked = true;
      try {
        await this.#probe;
      } finally {
        this.#probe = undefined;
      }
    }
    return isAsked;
  }
}
