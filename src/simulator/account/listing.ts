import type { Row } from "./json.js";

/** A list of the API: rows in the order of their keys, each computed when it is asked for. */
export interface Listing {
  readonly size: number;
  /** The key of a row, ascending with its position: what a cursor stands for. */
  readonly key: (position: number) => number;
  readonly row: (position: number) => Row;
}

export const EMPTY: Listing = listingOf(
  [],
  () => 0,
  () => ({}),
);

/** A list of whatever rows are made from. */
export function listingOf<T>(
  items: ArrayLike<T>,
  key: (item: T) => number,
  row: (item: T) => Row,
): Listing {
  const at = (position: number): T => {
    const item = items[position];
    if (item === undefined) throw new RangeError(`no row ${position} of ${items.length}`);
    return item;
  };
  return {
    size: items.length,
    key: (position) => key(at(position)),
    row: (position) => row(at(position)),
  };
}

/** Lists one after the other; the keys of each are above those of the one before. */
export function concatenated(parts: readonly Listing[]): Listing {
  const starts: number[] = [];
  let size = 0;
  for (const part of parts) {
    starts.push(size);
    size += part.size;
  }
  const locate = (position: number): [part: Listing, position: number] => {
    const i = starts.findLastIndex((start) => start <= position);
    const part = parts[i];
    if (part === undefined) throw new RangeError(`no row ${position} of ${size}`);
    return [part, position - (starts[i] ?? 0)];
  };
  return {
    size,
    key: (position) => {
      const [part, inner] = locate(position);
      return part.key(inner);
    },
    row: (position) => {
      const [part, inner] = locate(position);
      return part.row(inner);
    },
  };
}

/** Position of the first row whose key is above `key`. */
export function positionAfter(listing: Listing, key: number): number {
  let low = 0;
  let high = listing.size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (listing.key(middle) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function* rowsOf(listing: Listing): Generator<Row> {
  for (let position = 0; position < listing.size; position++) yield listing.row(position);
}
