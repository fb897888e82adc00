import { ConnectorError } from "../../core/errors.js";
import type { Bookmark, State } from "../../core/state.js";
import type { Hash } from "../../core/privacy/values.js";
import { withoutPeople } from "../../core/privacy/forget.js";
import type { Traces } from "../../core/privacy/traces.js";

/** Who is to be forgotten: one of the two is given. */
export interface Wanted {
  /** Digits. */
  readonly id: string | null;
  /** In lower case, without spaces around it. */
  readonly email: string | null;
  /** As rows were hashed; null if there is no key. */
  readonly hash: Hash | null;
}

/** A person as they stand in rows: as they are, and hashed. */
export interface Person {
  readonly ids: readonly string[];
  /** In lower case. */
  readonly emails: readonly string[];
}

/** Asks rows for what they say of somebody. Ids and addresses as they stand there. */
export interface Finder {
  idsOf(emails: readonly string[]): Promise<readonly string[]>;
  emailsOf(ids: readonly string[]): Promise<readonly string[]>;
}

/**
 * Everything that the person is known by.
 *
 * @throws ConnectorError `config` if more than one person has had the address: only one is meant.
 */
export async function personOf(wanted: Wanted, finder: Finder): Promise<Person> {
  const { id, email, hash } = wanted;
  const given = email === null ? [] : addressForms(email, hash);
  const found = id === null ? await finder.idsOf(given) : [id];
  const ids = [...new Set(found.flatMap((it) => idForms(it, hash)))];
  if (new Set(found.map((it) => idForms(it, hash).at(-1))).size > 1) {
    throw new ConnectorError("config", "forget: more than one person has had this address", {
      hint: "name the one that is meant by --id; users has the ids",
    });
  }
  const known = ids.length === 0 ? [] : await finder.emailsOf(ids);
  const emails = [...given, ...known.flatMap((it) => addressForms(it.trim().toLowerCase(), hash))];
  return { ids, emails: [...new Set(emails)] };
}

/** Rows have an id as it is, or its hash. */
function idForms(id: string, hash: Hash | null): readonly string[] {
  return hash === null || !/^\d+$/.test(id) ? [id] : [id, hash(id, "identifier")];
}

function addressForms(email: string, hash: Hash | null): readonly string[] {
  return hash === null || !email.includes("@") ? [email] : [email, hash(email, "email")];
}

/** Bookmarks of a state that know the person, without them. */
export function changedBookmarks(
  state: State,
  streams: readonly Traces[],
  { ids }: Person,
  hash: Hash | null,
): Readonly<Record<string, Bookmark>> {
  const theirs = new Set(ids);
  const isOne = (id: number): boolean =>
    theirs.has(String(id)) || (hash !== null && theirs.has(hash(id, "identifier")));
  const changed: Record<string, Bookmark> = {};
  for (const { stream, state: held } of streams) {
    const bookmark = state.bookmarks[stream];
    if (held === null || bookmark === undefined) continue;
    const without = withoutPeople(bookmark, held.seal, isOne);
    if (without !== null) changed[stream] = without;
  }
  return changed;
}
