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
