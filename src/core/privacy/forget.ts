import { decodeIds, encodeIds } from "../idset.js";
import type { Bookmark } from "../state.js";
import type { Seal } from "./seal.js";

/**
 * A bookmark that does not know some people any more; null if it does not know them as it is.
 *
 * @throws ConnectorError `state` if it was sealed with another key.
 */
export function withoutPeople(
  bookmark: Bookmark,
  seal: Seal | null,
  isOne: (id: number) => boolean,
): Bookmark | null {
  const open = seal?.open(bookmark) ?? bookmark;
  const { known, pass } = open;
  const without = (text: string): string =>
    encodeIds([...decodeIds(text)].filter((id) => !isOne(id)));
  const changed: Bookmark = {
    ...open,
    ...(known === undefined ? {} : { known: without(known) }),
    ...(pass == null ? {} : { pass: { ...pass, todo: without(pass.todo) } }),
  };
  if (changed.known === known && changed.pass?.todo === pass?.todo) return null;
  return seal?.close(changed) ?? changed;
}
