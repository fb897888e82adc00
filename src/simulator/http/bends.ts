import type { Row } from "../account/json.js";
import type { Listing } from "../account/listing.js";
import type { Fault } from "./fault.js";

/** What earlier faults did to a list for good. */
export interface Bend {
  /** How many rows earlier than usual a page starts, because pages before it were short. */
  missingBefore(page: number, size: number): number;
  /** How many rows a page has that was made short; undefined for the others. */
  rowsOf(page: number): number | undefined;
  /** The list with rows deleted or inserted. */
  drifted(listing: Listing): Listing;
}

/** Faults that later requests still see, list by list. */
export class Bends {
  readonly #lists = new Map<string, ListBend>();

  of(list: string): Bend {
    return this.#list(list);
  }

  /** Remembers what a fault on this page does to later requests for the list. */
  remember(list: string, page: number, faults: readonly Fault[]): void {
    for (const fault of faults) {
      if (fault.kind === "shortPage") this.#list(list).short.set(page, fault.rows);
      if (fault.kind === "drift") this.#list(list).drifts.push(fault.change);
    }
  }

  clear(): void {
    this.#lists.clear();
  }

  #list(list: string): ListBend {
    const known = this.#lists.get(list) ?? new ListBend();
    this.#lists.set(list, known);
    return known;
  }
}

class ListBend implements Bend {
  readonly short = new Map<number, number>();
  readonly drifts: ("delete" | "insert")[] = [];

  missingBefore(page: number, size: number): number {
    let missing = 0;
    for (const [short, rows] of this.short) if (short < page) missing += Math.max(0, size - rows);
    return missing;
  }

  rowsOf(page: number): number | undefined {
    return this.short.get(page);
  }

  drifted(listing: Listing): Listing {
    return this.drifts.reduce(
      (list, change) => (change === "delete" ? withoutFirst(list) : withAnother(list)),
      listing,
    );
  }
}

function withoutFirst(listing: Listing): Listing {
  return {
    size: Math.max(0, listing.size - 1),
    key: (position) => listing.key(position + 1),
    row: (position) => listing.row(position + 1),
  };
}

/** The new row is the first one again, with a key below it. */
function withAnother(listing: Listing): Listing {
  if (listing.size === 0) return listing;
  const key = listing.key(0);
  return {
    size: listing.size + 1,
    key: (position) => (position === 0 ? key - 1 : listing.key(position - 1)),
    row: (position) =>
      position === 0 ? withKey(listing.row(0), key, key - 1) : listing.row(position - 1),
  };
}

function withKey(row: Row, from: number, to: number): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value === from ? to : value]),
  );
}
