import { iso } from "./clock.js";
import { ConnectorError } from "./errors.js";
import { isIdSet, isSealed } from "./idset.js";
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
  /** When it ended, or was first seen to have, ISO 8601 UTC; null while it is open. */
  readonly overSince?: string | null;
}

/** A reading below parents, or slice by slice, that a quota or a failure broke off. */
export interface Pass {
  /** Start of the run that began it, ISO 8601 UTC. */
  readonly since: string;
  /** Ids of the parents or slices that are still to be read, as `core/idset.ts` writes them. */
  readonly todo: string;
  /** Present if it stands in for a scan of everything, which did not fit into what was left. */
  readonly scan?: true;
}

/** Requests of one quarter of an hour. */
export interface Spent {
  /** When the quarter began, ISO 8601 UTC. */
  readonly at: string;
  readonly requests: number;
}

/** What the API client remembers across runs. */
export interface SourceMemory {
  /** How listings are paged, as the last probe found; null if none was needed. */
  readonly paging: "cursor" | "page" | null;
  /** Digest of the account's name and of where it is asked: never the key. */
  readonly account?: string;
  /** Seats of the account, if it says. */
  readonly seats?: number;
  /** Requests of the last 24 hours, keyed so that later ones take the place of older ones. */
  readonly spent?: Readonly<Record<string, Spent>>;
  /** Until when the server asked not to be asked, ISO 8601 UTC; null for not at all. */
  readonly until?: string | null;
}

/**
 * How far one stream has been read. What a {@link SourceMemory} has stands only under
 * {@link SOURCE_KEY}.
 */
export interface Bookmark extends Partial<SourceMemory> {
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
  /** Which privacy rules the rows were handed on under; absent for none. */
  readonly privacy?: string;
  /** What is left of a reading that was broken off; null for nothing. */
  readonly pass?: Pass | null;
  /** Rows that the whole stream had when it was last read to its end. */
  readonly rows?: number;
  /**
   * Keys of the rows that were handed on and have not been told to be gone, as `core/idset.ts` writes
   * them, by part; for streams without parts under an empty name. Only where deletions are told.
   */
  readonly keys?: Readonly<Record<string, string>>;
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

/** What the API client wrote into a state. */
export function memoryOf(state: State): SourceMemory {
  const { completedAt: _, ...memory } = state.bookmarks[SOURCE_KEY] ?? { completedAt: null };
  return { ...memory, paging: memory.paging ?? null };
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
  // Printed with a state for people: no part of it.
  const { proofs: _, ...rest } = value;
  return { ...rest, version, bookmarks: bookmarks as Readonly<Record<string, Bookmark>> };
}

/** Dates that do not exist would compare with nothing, and what depends on them never be due. */
const isDate = (text: string) => {
  const at = Date.parse(text);
  return !Number.isNaN(at) && iso(at).slice(0, 10) === text.slice(0, 10);
};
const isInstant = (v: unknown) =>
  typeof v === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(v) && isDate(v);
const isDay = (v: unknown) => typeof v === "string" && /^\d{4}-\d\d-\d\d$/.test(v) && isDate(v);

const isCount = (v: unknown) => Number.isSafeInteger(v) && Number(v) >= 0;
const isIds = (v: unknown) => typeof v === "string" && isIdSet(v);
/** More than any quota allows, and few enough to be counted one by one. */
const isQuarter = (v: unknown) =>
  isObject(v) && isInstant(v["at"]) && isCount(v["requests"]) && Number(v["requests"]) < 1e6;
const isSpent = (v: unknown) =>
  isObject(v) && Object.entries(v).every(([key, q]) => /^\d{1,2}$/.test(key) && isQuarter(q));
const isPass = (v: unknown) =>
  isObject(v) &&
  isInstant(v["since"]) &&
  typeof v["todo"] === "string" &&
  (isIdSet(v["todo"]) || isSealed(v["todo"]));

const RULES: Readonly<Record<string, (v: unknown) => boolean>> = {
  completedAt: (v) => v === null || isInstant(v),
  scannedAt: (v) => v === undefined || v === null || isInstant(v),
  cursor: (v) => v === undefined || v === null || isDay(v) || isInstant(v),
  known: (v) => v === undefined || (typeof v === "string" && (isIdSet(v) || isSealed(v))),
  paging: (v) => v === undefined || v === null || v === "cursor" || v === "page",
  parts: (v) => v === undefined || isObject(v),
  privacy: (v) => v === undefined || typeof v === "string",
  keys: (v) => v === undefined || (isObject(v) && Object.values(v).every(isIds)),
  pass: (v) => v === undefined || v === null || isPass(v),
  rows: (v) => v === undefined || isCount(v),
  account: (v) => v === undefined || typeof v === "string",
  seats: (v) => v === undefined || isCount(v),
  spent: (v) => v === undefined || isSpent(v),
  until: (v) => v === undefined || v === null || isInstant(v),
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
      isCount(part["rows"]) &&
      (part["overSince"] == null || isInstant(part["overSince"]));
    if (!sound) return `.parts.${id} is not of the expected shape`;
  }
  return undefined;
}
