/**
 * A set of integer ids as one short string, for states: sorted, each written as its distance from
 * the one before in base 36, runs of neighbours as `first~count`. 50,000 people take about 150 kB.
 *
 * One string and not a list or an object, because platforms merge states key by key and replace
 * what is not an object as a whole.
 */
export function encodeIds(ids: Iterable<number>): string {
  const sorted = [...new Set(ids)].filter((id) => Number.isSafeInteger(id) && id >= 0);
  sorted.sort((a, b) => a - b);
  const parts: string[] = [];
  let last = -1;
  for (let i = 0; i < sorted.length;) {
    const first = sorted[i] ?? 0;
    let run = 1;
    while (sorted[i + run] === first + run) run++;
    const distance = (first - last).toString(36);
    parts.push(run === 1 ? distance : `${distance}~${run.toString(36)}`);
    last = first + run - 1;
    i += run;
  }
  return parts.join(".");
}

/** Reads what {@link encodeIds} wrote. */
export function decodeIds(text: string): Set<number> {
  const ids = new Set<number>();
  let last = -1;
  for (const part of text === "" ? [] : text.split(".")) {
    const [distance = "", run = "1"] = part.split("~");
    const first = last + parseInt(distance, 36);
    const count = parseInt(run, 36);
    for (let i = 0; i < count; i++) ids.add(first + i);
    last = first + count - 1;
  }
  return ids;
}

/** Begins a set that only the holder of `privacy.key` can read; no id set has such a sign. */
export const SEALED = "sealed:";

/** True for an id set that `core/privacy/seal.ts` has made unreadable. */
export function isSealed(text: string): boolean {
  return text.startsWith(SEALED);
}

/** Ids that a set may hold: more than any account has, and few enough to be read. */
const MOST_IDS = 10_000_000;

/** True for what {@link encodeIds} may have written; anything else could take any time to read. */
export function isIdSet(text: string): boolean {
  let last = -1;
  let ids = 0;
  for (const part of text === "" ? [] : text.split(".")) {
    if (!/^[0-9a-z]+(?:~[0-9a-z]+)?$/.test(part)) return false;
    const [distance = "", run = "1"] = part.split("~");
    const count = parseInt(run, 36);
    const step = parseInt(distance, 36);
    last += step + count - 1;
    ids += count;
    if (step < 1 || count < 1 || ids > MOST_IDS || !Number.isSafeInteger(last)) return false;
  }
  return true;
}
