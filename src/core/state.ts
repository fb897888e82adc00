import { iso } from "./clock.js";
import { ConnectorError } from "./errors.js";
import { isIdSet } from "./idset.js";
import { isObject, type Json } from "./json.js";

/**
 * What is known about one parent or slice whose rows are read apart.
 *
 * Keyed by the parent's id, so that states can be merged key by key; entries of parents that the
 * API no longer lists are dropped when the stream next completes, which bounds the size.
 */
export interface Part {
  /** Digest of the parent's fields at the last complete read. */
  readonly print: string;
  /** When its rows were last read to the end, ISO 8601 UTC. */
  readonly readAt: string;
  /** How many rows there were. */
  readonly rows: number;
  /** When it was first seen to be over, ISO 8601 UTC; null while it is open. */
  readonly overSince?: string | null;
}

/** How far one stream has been read. */
export interface Bookmark {
  /** When the stream was last read to its end, ISO 8601 UTC; null if it never was. */
  readonly completedAt: string | null;
  /** Greatest cursor value that is durable; for streams with a cursor only. */
  readonly cursor?: string | null;
  /** Parents whose history is known, as `core/idset.ts` writes them; for cursors below parents. */
  readonly known?: string;
  /** Fingerprints or slices by parent id. */
  readonly parts?: Readonly<Record<string, Part>>;
  /** When everything was last read without regard to parts, ISO 8601 UTC. */
  readonly scannedAt?: string | null;
  /** What the API client remembers; only under {@link SOURCE_KEY}. */
  readonly paging?: "cursor" | "page" | null;
  /** Which privacy rules the rows were handed on under; absent for none. */
  readonly privacy?: string;
  /** State of another tap as it came; only under its own key, when `knowbe4 load` is used. */
  readonly foreign?: Json;
}

/**
 * A claim that everything up to `bookmark` has been handed over. Only a sink may turn it into
 * state, by returning it. The bookmark replaces the stream's earlier one.
 */
export interface Checkpoint {
  readonly stream: string;
  readonly bookmark: Bookmark;
}

/** Bookmark key of what concerns no stream: the API client's own memory. */
export const SOURCE_KEY = "_source";

/**
 * Everything a later run needs in order to continue. Immutable; serialised as it stands.
 *
 * `version` changes when the shape does. Bookmarks of streams that a run does not read are kept.
 */
export interface State {
  readonly version: 1;
  readonly bookmarks: Readonly<Record<string, Bookmark>>;
}

/** The state of a first run. */
export const EMPTY_STATE: State = { version: 1, bookmarks: {} };

/** Folds acknowledged checkpoints into `state`. Later checkpoints of a stream win. Never mutates. */
export function applyCheckpoints(state: State, acknowledged: readonly Checkpoint[]): State {
  if (acknowledged.length === 0) return state;
  const changed = Object.fromEntries(acknowledged.map((c) => [c.stream, c.bookmark]));
  return { ...state, bookmarks: { ...state.bookmarks, ...changed } };
}

/**
 * Reads a state that came from a file, a platform or a table.
 *
 * `{}` is a first run. Anything else must be a shape this version wrote: a state that is not
 * understood is refused, never taken for a fresh start, because a fresh start costs a day's quota
 * and hides that something went wrong.
 *
 * @param name how the user knows the place it came from, for messages.
 * @throws ConnectorError `state`.
 */
export function parseState(value: unknown, name: string): State {
  const refuse = (what: string): never => {
    throw new ConnectorError("state", `${name}: ${what}`, {
      hint: "pass the last state that this tap wrote, or none at all for a full first run",
    });
  };
  if (!isObject(value)) return refuse("the state is not a JSON object");
  if (Object.keys(value).length === 0) return EMPTY_STATE;
  const { version, bookmarks } = value;
  if (version === undefined) return refuse("no version: the state is not of this tap's shape");
  if (typeof version === "number" && version > 1) {
    return refuse(`state version ${String(version)} is newer than this program knows (1)`);
  }
  if (version !== 1) return refuse("unknown state version");
  if (!isObject(bookmarks)) return refuse("bookmarks is not an object");
  for (const [stream, bookmark] of Object.entries(bookmarks)) {
    const fault = bookmarkFault(bookmark);
    if (fault !== undefined) return refuse(`bookmarks.${stream}${fault}`);
  }
  return { ...value, version, bookmarks: bookmarks as Readonly<Record<string, Bookmark>> };
}

/** Dates that do not exist would compare with nothing, and what depends on them never be due. */
const isDate = (text: string) => {
  const at = Date.parse(text);
  return !Number.isNaN(at) && iso(at).slice(0, 10) === text.slice(0, 10);
};
const isInstant = (v: unknown) =>
  typeof v === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(v) && isDate(v);
const isDay = (v: unknown) => typeof v === "string" && /^\d{4}-\d\d-\d\d$/.test(v) && isDate(v);

const RULES: Readonly<Record<string, (v: unknown) => boolean>> = {
  completedAt: (v) => v === null || isInstant(v),
  scannedAt: (v) => v === undefined || v === null || isInstant(v),
  cursor: (v) => v === undefined || v === null || isDay(v) || isInstant(v),
  known: (v) => v === undefined || (typeof v === "string" && isIdSet(v)),
  paging: (v) => v === undefined || v === null || v === "cursor" || v === "page",
  parts: (v) => v === undefined || isObject(v),
  privacy: (v) => v === undefined || typeof v === "string",
};

/** What is wrong with a bookmark, as a suffix to its name; undefined if nothing is. */
function bookmarkFault(bookmark: unknown): string | undefined {
  if (!isObject(bookmark)) return " is not an object";
  for (const [key, holds] of Object.entries(RULES)) {
    if (!holds(bookmark[key])) return `.${key} is not of the expected shape`;
  }
  const { parts } = bookmark;
  if (!isObject(parts)) return undefined;
  for (const [id, part] of Object.entries(parts)) {
    const sound =
      isObject(part) &&
      typeof part["print"] === "string" &&
      isInstant(part["readAt"]) &&
      Number.isSafeInteger(part["rows"]) &&
      Number(part["rows"]) >= 0 &&
      (part["overSince"] == null || isInstant(part["overSince"]));
    if (!sound) return `.parts.${id} is not of the expected shape`;
  }
  return undefined;
}
