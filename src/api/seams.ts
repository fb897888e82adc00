import type { ConnectorError } from "../core/errors.js";
import type { Page } from "../core/ports.js";
import { firstWindow, overlapping, type PageWindow } from "../core/windows.js";
import { positionOf, type PageEnd, type Query, type Walk } from "./walk.js";

type Pages<Return = void> = AsyncGenerator<Page, Return, undefined>;

/** Short pages that turn out not to be the last, until their length is no longer believed. */
const SHORT = 2;

/** Pages of one listing that are read once more because rows had moved, beside one in four. */
const REREADS = 20;

/** Pages read again that are as they were, one after the other, until nothing is believed to move. */
const STILL = 2;

/** How the reading of one listing goes. */
interface Going {
  /** Most rows per page. */
  most: number;
  pages: number;
  short: number;
  /** Pages read again, the last ones in a row, that were as they had been. */
  still: number;
}

/** A page that was read, and how it ended. */
interface Tied {
  readonly window: PageWindow;
  readonly got: PageEnd;
}

/**
 * Reads what comes after page 1 by page number, so that no row is missed because rows before it are
 * deleted meanwhile: each page begins with a row that has come already. If it does not, rows have
 * moved up by more than that, and what is before is read again.
 *
 * It rests on one thing: rows keep their order while they are read. A server whose pages cannot
 * be made to overlap is read page by page; {@link Walk.isLoose} says so.
 *
 * @throws ConnectorError `api_contract` if a page comes round again, or rows move faster than they
 *   can be read.
 */
export async function* readOverlapping(walk: Walk, pageSize: number, first: PageEnd): Pages {
  const going: Going = { most: pageSize, pages: 1, short: 0, still: 0 };
  let at: Tied = { window: firstWindow(pageSize), got: first };
  walk.rememberMore();
  while (at.got.rows > 0) {
    const { window, got } = at;
    const { page, size } = window;
    const end = window.from + got.rows;
    if (got.rows > size) return yield* withoutOverlap(walk, going.pages === 2 ? 3 : 1, pageSize);
    let asked = page;
    if (got.rows < size) {
      asked += 1;
      const after = yield* walk.page(queryOf(asked, size), positionOf(asked));
      if (after.rows === 0) break;
      if (isStartAgain(after)) throw walk.fault("with a page that came before", "cursor");
      going.short += 1;
      if (going.short > SHORT || after.rows > size) {
        walk.startOver();
        return yield* withoutOverlap(walk, asked + 1, size);
      }
      // Both are shorter than was asked for: that may be how long pages are.
      if (going.pages === 1) going.most = end;
    }
    if (overlapping(end, going.most) === null) {
      return yield* withoutOverlap(walk, asked + 1, size);
    }
    const next = yield* nextTied(walk, end, going);
    if (next === null) {
      walk.startOver();
      return yield* withoutOverlap(walk, 2, pageSize);
    }
    at = next;
    going.pages += 1;
  }
  walk.how = "empty page";
}

/** The next page that begins with a row that has come; null if this server has none. */
async function* nextTied(walk: Walk, end: number, going: Going): Pages<Tied | null> {
  const { most, pages } = going;
  for (let back = 0; ; back = back === 0 ? Math.ceil(most / 2) : back * 2) {
    const window = (end > back ? overlapping(end - back, most) : null) ?? firstWindow(most);
    const known = Math.max(0, end - window.from);
    const got = yield* walk.page(queryOf(window.page, window.size), positionOf(window.page), known);
    // Nothing has moved, and yet page 2 did not follow page 1: sizes are not what they seem.
    if (window.from === 0) return got.isRepeated ? null : { window, got };
    if (isStartAgain(got)) throw walk.fault("with a page that came before", "cursor");
    if (back > 0) going.still = got.isRepeated ? going.still + 1 : 0;
    // What is before stays as it is, and still does not lead on: sizes are not what they seem.
    if (going.still > STILL) return null;
    if (got.isTied || got.rows > window.size) return { window, got };
    if (walk.reread() > REREADS + pages / 4 || back > walk.remembered) throw tooFast(walk);
  }
}

/** Where page 1 comes whatever is asked for. */
function isStartAgain({ isStart, fresh }: PageEnd): boolean {
  return isStart && fresh === 0;
}

/** Pages as they come, from this one on, by a server whose pages do not overlap. */
async function* withoutOverlap(walk: Walk, page: number, size: number): Pages {
  walk.isLoose = true;
  if (page === 1) walk.startOver();
  yield* readPlain(walk, page, { per_page: String(size) });
}

/** Pages by number until one is empty: a short page is never the end. */
export async function* readPlain(walk: Walk, first: number, size: Query): Pages {
  for (let number = first; ; number++) {
    const end = yield* walk.page({ page: String(number), ...size }, positionOf(number));
    if (end.rows === 0) break;
    if (end.isRepeated) throw walk.fault("with a page that came before", "cursor");
  }
  walk.how = "empty page";
}

function queryOf(page: number, size: number): Query {
  return { page: String(page), per_page: String(size) };
}

function tooFast(walk: Walk): ConnectorError {
  return walk.contradiction(
    "moves rows from page to page faster than they can be read",
    'run again when less is being changed, or set pagination to "cursor" if the server knows it',
  );
}
