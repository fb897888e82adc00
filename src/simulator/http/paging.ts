import type { Row } from "../account/json.js";
import { positionAfter, type Listing } from "../account/listing.js";
import type { Bend } from "./bends.js";
import type { Fault } from "./fault.js";

/** How lists are paged: by cursor only, by page number only, or as the request asks. */
export type Paging = "cursor" | "page" | "both";

export interface PagingOptions {
  readonly paging: Paging;
  /** The most rows per page, whatever is asked for. */
  readonly cap: number;
}

/** Which rows a request is for. */
export interface PageRequest {
  readonly way: "cursor" | "page";
  /** The cursor that was sent; null at the start. */
  readonly cursor: number | null;
  /** Page number, from 1; for a cursor, the page that it would be. */
  readonly page: number;
  readonly size: number;
}

export interface Page {
  readonly rows: readonly Row[];
  /** Null where there is no more, or where pages are numbered. */
  readonly nextCursor: number | null;
}

/** Source: KnowBe4's reference, "Pagination". */
const DEFAULT_SIZE = 100;

/** @returns null for a cursor that is not one of ours. */
export function pageRequest(
  query: URLSearchParams,
  listing: Listing,
  { paging, cap }: PagingOptions,
): PageRequest | null {
  const asked = wholeNumber(query.get("per_page")) ?? DEFAULT_SIZE;
  const size = Math.min(asked, cap);
  const given = query.get("cursor");
  const isByCursor = paging === "cursor" || (paging === "both" && given !== null);
  if (!isByCursor) {
    return { way: "page", cursor: null, page: wholeNumber(query.get("page")) ?? 1, size };
  }
  if (given === null || given === "true") return { way: "cursor", cursor: null, page: 1, size };
  if (!/^\d{1,15}$/.test(given)) return null;
  const cursor = Number(given);
  const page = Math.floor(positionAfter(listing, cursor) / size) + 1;
  return { way: "cursor", cursor, page, size };
}

/** The request as a server with these faults understands it. */
export function misread(request: PageRequest, faults: readonly Fault[]): PageRequest {
  return faults.reduce<PageRequest>((asked, fault) => {
    if (fault.kind === "capPerPage") return { ...asked, size: Math.min(asked.size, fault.rows) };
    if (fault.kind === "ignorePage" && asked.way === "page") return { ...asked, page: 1 };
    if (fault.kind === "ignoreCursor" && asked.way === "cursor") {
      return { ...asked, way: "page", cursor: null, page: 1 };
    }
    return asked;
  }, request);
}

/** The rows that were asked for, and where to go on. */
export function readPage(
  listing: Listing,
  request: PageRequest,
  faults: readonly Fault[],
  bend: Bend,
): Page {
  if (faults.some(({ kind }) => kind === "empty")) return { rows: [], nextCursor: null };
  const { way, cursor, page, size } = request;
  const back = faults.some(({ kind }) => kind === "repeatPage") ? size : 0;
  const short = faults.find((fault) => fault.kind === "shortPage");
  const [from, full] =
    way === "page"
      ? [(page - 1) * size - bend.missingBefore(page, size), bend.rowsOf(page) ?? size]
      : [cursor === null ? 0 : positionAfter(listing, cursor), size];
  const start = Math.max(0, from - back);
  const end = Math.min(listing.size, start + Math.min(full, short?.rows ?? full));
  const rows: Row[] = [];
  for (let position = start; position < end; position++) rows.push(listing.row(position));
  const repeats = faults.some(({ kind }) => kind === "repeatCursor");
  const hasMore = way === "cursor" && end < listing.size && end > start;
  const last = listing.size === 0 || end === 0 ? null : listing.key(end - 1);
  return { rows, nextCursor: hasMore ? (repeats ? (cursor ?? last) : last) : null };
}

function wholeNumber(text: string | null): number | null {
  const value = Number(text);
  return text !== null && Number.isSafeInteger(value) && value > 0 ? value : null;
}
