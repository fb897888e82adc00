import { pagesOf } from "../core/forecast.js";
import { textOf, type Json } from "../core/json.js";
import { itemKeyOf, picker } from "../core/normalise.js";
import type { PageSource } from "../core/ports.js";
import type { State } from "../core/state.js";
import type { StreamDef } from "../core/stream.js";
import type { CountAsk } from "../loaders/dialect.js";
import type { Counts } from "../loaders/store.js";
import { account } from "../../streams/account.js";
import type { RealSource } from "./source.js";

/** One comparison of what the API says with what a destination holds. */
export interface Compared {
  readonly stream: string;
  /** Rows that the API says there are; null if it was not asked. */
  readonly declared: number | null;
  /** Rows that are there and not marked as gone; null if the table was never made. */
  readonly in_warehouse: number | null;
  readonly verdict: "equal" | "differs" | "not compared";
  /** Where the declared figure comes from, or why there is none; which parents differ. */
  readonly detail: string;
}

/** What verifying works with. */
export interface VerifyOptions {
  readonly streams: readonly StreamDef[];
  readonly source: RealSource;
  readonly state: State;
  readonly pageSize: number;
  /** Rows of dated streams before this day are not in the destination. */
  readonly startDate: string | null;
  readonly count: (asks: readonly CountAsk[]) => Promise<readonly (Counts | null)[]>;
  readonly signal: AbortSignal;
}

/** Requests that a listing may take to be counted row by row. */
const MOST_REQUESTS = 20;

/** Parents that are named where many differ. */
const NAMED = 5;

/** Compares each stream with the API's own counters, in as few requests as that takes. */
export async function verify(options: VerifyOptions): Promise<readonly Compared[]> {
  const { streams, count } = options;
  const asks = streams.map((def): CountAsk => {
    const [by = null] = counterOf(def) === undefined ? [] : Object.keys(def.parent?.bind ?? {});
    return { table: def.name, key: def.primaryKey, by };
  });
  const counts = await count(asks);
  const verifier = new Verifier(options);
  await verifier.identify();
  const compared: Compared[] = [];
  for (const [i, def] of streams.entries()) {
    compared.push(await verifier.compare(def, counts[i] ?? null));
  }
  return compared;
}

/** Field of the parent that says how many rows there are below it. */
function counterOf(def: StreamDef): string | undefined {
  return def.count ?? def.derive?.count;
}

class Verifier {
  readonly #options: VerifyOptions;
  readonly #pages: PageSource;
  /** Rows of listings that were read, by stream: each is read once. */
  readonly #read = new Map<StreamDef, readonly unknown[]>();

  constructor(options: VerifyOptions) {
    this.#options = options;
    this.#pages = options.source.pages(options.state);
  }

  /** Makes sure, before anything else, that the state is of this account. */
  async identify(): Promise<void> {
    await this.#list(account);
  }

  async compare(def: StreamDef, counts: Counts | null): Promise<Compared> {
    const { name } = def;
    if (counts === null) {
      const detail = "the destination has no such table: it was never loaded";
      return { stream: name, ...UNKNOWN, in_warehouse: null, detail };
    }
    const rows = sum(counts.values());
    const not = (detail: string): Compared => {
      return { stream: name, ...UNKNOWN, in_warehouse: rows, detail };
    };
    const bookmark = this.#options.state.bookmarks[name];
    if (bookmark?.completedAt == null) return not("not read to its end yet");
    const counter = counterOf(def);
    if (def.parent !== undefined) {
      const above = def.parent.stream.name;
      if (counter === undefined) return not(`one request for each of ${above}, and no counter`);
      return this.#below(def, counter, counts);
    }
    if (def.listing === "whole") return this.#dated(def, rows);
    if (def.listing !== "object" && !this.#isShort(rows)) {
      const found = await this.#probe(def, rows);
      if (found !== null) return { stream: name, in_warehouse: rows, ...found };
      if (pagesOf(rows, this.#known) > MOST_REQUESTS) {
        return not("no counter, not paged by number, and too long to be listed again");
      }
    }
    const listed = await this.#list(def);
    return judged(name, listed.length, rows, "rows listed");
  }

  get #known() {
    return { pageSize: this.#options.pageSize, paging: this.#pages.memory.paging };
  }

  /** Whether listing rows again takes no more requests than asking for the last one. */
  #isShort(rows: number): boolean {
    return rows < this.#options.pageSize;
  }

  /** Children of each parent against the parent's own counter. */
  async #below(def: StreamDef, counter: string, counts: Counts): Promise<Compared> {
    const above = def.parent?.stream ?? def;
    const [key = ""] = Object.values(def.parent?.bind ?? {});
    const read = picker(above, [key, counter]);
    const declared = new Map<string, Json>();
    for (const item of await this.#list(above)) {
      const row = read(item);
      declared.set(textOf(row[key] ?? null), row[counter] ?? null);
    }
    const differing: string[] = [];
    let [says, holds, silent] = [0, 0, 0];
    for (const parent of new Set([...declared.keys(), ...counts.keys()])) {
      const has = counts.get(parent) ?? 0;
      const said = declared.has(parent) ? declared.get(parent) : 0;
      if (typeof said !== "number") {
        silent += 1;
        continue;
      }
      says += said;
      holds += has;
      if (said !== has) differing.push(`${parent}: ${String(said)} declared, ${String(has)} here`);
    }
    const parents = above.name;
    const named = differing.slice(0, NAMED).join("; ");
    const more = differing.length > NAMED ? `; and ${String(differing.length - NAMED)} more` : "";
    const without = silent === 0 ? "" : `; ${String(silent)} of ${parents} do not say`;
    const detail = `${parents}.${counter}${named === "" ? "" : `: ${named}`}${more}${without}`;
    const verdict = differing.length === 0 ? "equal" : "differs";
    return { stream: def.name, declared: says, in_warehouse: holds, verdict, detail };
  }

  /** Days that the API still lists; a destination may hold older ones. */
  async #dated(def: StreamDef, rows: number): Promise<Compared> {
    const by = def.replication;
    const full = by.mode === "incremental" && by.by === "cursor" ? by.fullQuery : {};
    if (this.#options.startDate !== null) {
      const detail = "start_date leaves a part of it out";
      return { stream: def.name, ...UNKNOWN, in_warehouse: rows, detail };
    }
    const listed = await this.#list(def, full);
    const found = judged(def.name, listed.length, rows, "days listed");
    return rows > listed.length ? { ...found, verdict: "equal" } : found;
  }

  /**
   * Asks for the last row that the destination has, and for the one behind it. A row and then none
   * prove the number; two rows that are the same come from a server that does not mind `page`.
   */
  async #probe(
    def: StreamDef,
    rows: number,
  ): Promise<Pick<Compared, "declared" | "verdict" | "detail"> | null> {
    const { source, signal, pageSize } = this.#options;
    const ask = (page: number, size: number) => source.page(def, page, size, signal);
    const keys = itemKeyOf(def);
    const [last] = await ask(rows, 1);
    const [behind] = await ask(rows + 1, 1);
    const detail = "the last row, asked for by its number";
    if (last !== undefined && behind === undefined) {
      return { declared: rows, verdict: "equal", detail };
    }
    if (last !== undefined && keys(last) === keys(behind)) return null;
    if (last === undefined) {
      // The page on which the last but one should be: how many it holds tells, unless it is empty.
      const page = Math.floor((rows - 2) / pageSize) + 1;
      const { length } = rows < 2 ? [] : await ask(page, pageSize);
      if (length === pageSize) return { declared: rows - 1, verdict: "differs", detail };
      if (length > 0)
        return { declared: (page - 1) * pageSize + length, verdict: "differs", detail };
      return { declared: null, verdict: "differs", detail: `${detail}: there are fewer` };
    }
    // The page with the row behind it, and the next one.
    const page = Math.floor(rows / pageSize) + 1;
    for (const next of [page, page + 1]) {
      const { length } = await ask(next, pageSize);
      if (length === pageSize) continue;
      return { declared: (next - 1) * pageSize + length, verdict: "differs", detail };
    }
    return { declared: null, verdict: "differs", detail: `${detail}: there are more` };
  }

  /** Different rows of a listing. */
  async #list(
    def: StreamDef,
    query: Readonly<Record<string, string>> = {},
  ): Promise<readonly unknown[]> {
    const known = this.#read.get(def);
    if (known !== undefined) return known;
    const itemKey = itemKeyOf(def);
    const rows = new Map<string, unknown>();
    const listing = {
      stream: def.name,
      endpoint: def.path,
      path: def.path,
      query: { ...def.query, ...query },
      kind: def.listing ?? "pages",
      itemKey,
    };
    for await (const page of this.#pages.pages(listing, this.#options.signal)) {
      for (const item of page.items) rows.set(itemKey(item), item);
    }
    const found = [...rows.values()];
    this.#read.set(def, found);
    return found;
  }
}

const UNKNOWN = { declared: null, verdict: "not compared" } as const;

function judged(stream: string, declared: number, rows: number, detail: string): Compared {
  const verdict = declared === rows ? "equal" : "differs";
  return { stream, declared, in_warehouse: rows, verdict, detail };
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, n) => total + n, 0);
}
