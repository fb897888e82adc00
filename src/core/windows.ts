/** A page as it is asked for by number, and the rows of the listing that it is about. */
export interface PageWindow {
  /** From 1. */
  readonly page: number;
  /** Rows asked for. */
  readonly size: number;
  /** Its first row, counted from 0. */
  readonly from: number;
}

/** The page that a listing begins with. */
export function firstWindow(size: number): PageWindow {
  return { page: 1, size, from: 0 };
}

/**
 * Of the pages that begin before row `end`, the one that reaches furthest beyond it. Pages of one size
 * never have a row in common; pages of different sizes do: page 2 of 499 begins with the last row
 * of page 1 of 500.
 *
 * @param end rows that have come; at least 1.
 * @param most rows per page.
 * @returns null if no page holds both row `end - 1` and row `end`: only of a few rows at most.
 */
export function overlapping(end: number, most: number): PageWindow | null {
  let best: PageWindow | null = null;
  let reach = end;
  // None that is smaller reaches further than from the last row on.
  for (let size = most; end - 1 + size > reach; size--) {
    const before = Math.floor((end - 1) / size);
    const to = (before + 1) * size;
    if (to <= reach) continue;
    reach = to;
    best = { page: before + 1, size, from: before * size };
  }
  return best;
}

/** Pages from which their number is estimated: nobody has a listing of five million rows. */
const MANY_PAGES = 10_000;

/** Requests that a listing takes by page number: pages that overlap, and the empty one at its end. */
export function requestsByPage(rows: number, most: number): number {
  if (rows > most * MANY_PAGES) return Math.ceil((rows / most) * 1.06) + 1;
  let requests = 1;
  for (let end = most; end <= rows; requests++) {
    const next = overlapping(end, most);
    if (next === null) return requests + Math.ceil((rows - end) / most) + 1;
    end = next.from + next.size;
  }
  return requests + 1;
}
