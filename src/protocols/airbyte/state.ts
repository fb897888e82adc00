import { ConnectorError } from "../../core/errors.js";
import { isObject, type JsonObject } from "../../core/json.js";
import {
  EMPTY_STATE,
  parseState,
  SOURCE_KEY,
  type Bookmark,
  type State,
} from "../../core/state.js";
import { lastQuarter, mergedQuarters } from "../../core/window.js";

/** What the platform kept for us. */
export interface Given {
  readonly state: State;
  /** Number of the last state of each stream; see {@link streamState}. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Streams that are no longer, or not yet, ours. */
  readonly unknown: readonly string[];
}

/**
 * State of one stream as the platform keeps it: the bookmark, what the API client remembers, and a
 * number that grows, because a platform takes two equal states with records between for a fault.
 */
export interface StreamState {
  readonly version: 1;
  readonly number: number;
  readonly bookmark: Bookmark;
  readonly source?: Bookmark;
}

/**
 * Reads the list of states that a platform passes: one entry per stream, in any order. An empty list
 * or object is a first run; a stream whose state is null starts from the beginning.
 *
 * @param name how the user knows the file, for messages.
 * @throws ConnectorError `state` for anything that this version did not write.
 */
export function readStates(value: unknown, streams: readonly string[], name: string): Given {
  const entries = listOf(value, name);
  const bookmarks: Record<string, Bookmark> = {};
  const numbers = new Map<string, number>();
  const unknown: string[] = [];
  for (const [i, entry] of entries.entries()) {
    const at = `${name}: [${String(i)}]`;
    const { stream, blob } = entryOf(entry, at);
    if (!streams.includes(stream)) {
      unknown.push(stream);
      continue;
    }
    if (blob === null) continue;
    const { number, bookmark, source } = blob;
    numbers.set(stream, typeof number === "number" ? number : 0);
    const found = parseState(
      {
        version: blob["version"],
        bookmarks: { [stream]: bookmark, ...(isObject(source) ? { [SOURCE_KEY]: source } : {}) },
      },
      `${at} (${stream})`,
    );
    const before = bookmarks[SOURCE_KEY];
    Object.assign(bookmarks, found.bookmarks);
    const read = found.bookmarks[SOURCE_KEY];
    if (before !== undefined && read !== undefined) {
      bookmarks[SOURCE_KEY] = joined(before, read, name);
    }
  }
  return { state: { ...EMPTY_STATE, bookmarks }, numbers, unknown };
}

/** Every stream brings what the client remembered when its state was written: the latest holds. */
function joined(a: Bookmark, b: Bookmark, name: string): Bookmark {
  if (a.account !== undefined && b.account !== undefined && a.account !== b.account) {
    throw refused(name, "holds states of two accounts");
  }
  const [older, newer] = lastQuarter(a.spent) > lastQuarter(b.spent) ? [b, a] : [a, b];
  if (a.spent === undefined && b.spent === undefined) return { ...older, ...newer };
  return { ...older, ...newer, spent: mergedQuarters(a.spent ?? {}, b.spent ?? {}) };
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  if (isObject(value) && Object.keys(value).length === 0) return [];
  throw refused(name, "is not a list of per-stream states");
}

function entryOf(
  entry: unknown,
  at: string,
): { readonly stream: string; readonly blob: JsonObject | null } {
  if (!isObject(entry)) throw refused(at, "is not an object");
  const { type, stream } = entry;
  if (type !== "STREAM" || !isObject(stream)) {
    throw refused(
      at,
      "is not the state of one stream: legacy and global states are not understood",
    );
  }
  const { stream_descriptor: descriptor, stream_state: blob } = stream;
  const name = isObject(descriptor) ? descriptor["name"] : undefined;
  if (typeof name !== "string") throw refused(at, "names no stream");
  if (blob === null || blob === undefined) return { stream: name, blob: null };
  if (!isObject(blob)) throw refused(`${at} (${name})`, "stream_state is not an object");
  return { stream: name, blob: Object.keys(blob).length === 0 ? null : blob };
}

function refused(place: string, what: string): ConnectorError {
  return new ConnectorError("state", `state: ${place} ${what}`, {
    hint: "pass the states that this source wrote last, or reset the stream",
  });
}
