import type { Clock } from "../clock.js";
import type { Collector } from "../collect.js";
import { EXTRA } from "../columns.js";
import { ConnectorError } from "../errors.js";
import type { Emit } from "../events.js";
import { textOf, type Json } from "../json.js";
import { itemKeyOf, normaliser, rowShape, type Bound, type Normalise } from "../normalise.js";
import type { PlannedStream } from "../plan.js";
import type { Listing, Page, PageSource } from "../ports.js";
import { ProofBook } from "../proof.js";
import type { RecordBatch, Row, Scope } from "../record.js";
import type { Bookmark, State } from "../state.js";

/** What the settings say about how streams are read. */
export interface ReadSettings {
  /** Most listings under way at once below parents. */
  readonly concurrency: number;
  /** Rows per page; for estimating what a full scan would cost. */
  readonly pageSize: number;
  /** Days after its end during which a slice is still read. */
  readonly lookbackDays: number;
  /** Days after which what looks unchanged is read again all the same. */
  readonly reverifyDays: number;
  /** Rejected rows that a stream may have before it fails. */
  readonly maxRejects: number;
  /** Rows of dated streams before this day are not handed on; `YYYY-MM-DD` or null. */
  readonly startDate: string | null;
}

/** What a way of reading a stream works with. */
export interface ReadContext {
  readonly planned: PlannedStream;
  readonly source: PageSource;
  readonly settings: ReadSettings;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Start of the run, ISO 8601 UTC. */
  readonly startedAt: string;
  /** State that the run starts from. */
  readonly state: State;
  readonly collectors: readonly Collector[];
  /** Hands a batch to the sink, if the stream is handed on at all. */
  readonly deliver: (batch: RecordBatch) => Promise<void>;
}

/** Reads one stream: counts rows, delivers batches, keeps to the reject budget. */
export class StreamReader {
  readonly context: ReadContext;
  rows = 0;
  rejected = 0;
  /** Items that the API gave, handed on or not. */
  came = 0;
  readonly proof = new ProofBook();
  readonly #normalise: Normalise;
  readonly #itemKey: (item: unknown) => string;
  readonly #drifted = new Set<string>();
  #scopes: Scope[] = [];

  constructor(context: ReadContext) {
    this.context = context;
    const { def, columns, emit } = context.planned;
    this.#itemKey = itemKeyOf(def);
    // Of a stream that is read only for its children, the rows need nothing but an identity: one
    // without would take all that stands below it along, unseen.
    const wanted = emit ? columns : columns.filter((c) => def.primaryKey.includes(c.name));
    this.#normalise = normaliser(rowShape(def, wanted), (field) => {
      if (emit) this.#reportDrift(field);
    });
  }

  /** Pages of the stream's listing, below a parent if one is given. */
  pages(bound: Bound = {}, query: Readonly<Record<string, string>> = {}): AsyncIterable<Page> {
    const { def } = this.context.planned;
    const listing: Listing = {
      stream: def.name,
      endpoint: def.path,
      path: def.path.replace(/\{(\w+)\}/g, (_, param: string) => encode(bound[param])),
      query: { ...def.query, ...query },
      kind: def.listing ?? "pages",
      itemKey: this.#itemKey,
      told: (end) => {
        this.proof.ended(end);
      },
    };
    return this.context.source.pages(listing, this.context.signal);
  }

  /**
   * Normalises a page and delivers it.
   *
   * @param keep which rows to hand on; all if absent.
   * @returns how many items the page had.
   */
  async take(page: Page, bound: Bound = {}, keep?: (row: Row) => boolean): Promise<number> {
    const { collectors, planned, emit } = this.context;
    this.came += page.items.length;
    for (const item of page.items) for (const collector of collectors) collector.add(item);
    emit({ type: "page", stream: planned.def.name, rows: page.items.length });
    const into = { rows: [] as Row[], rejects: [] as RecordBatch["rejects"][number][] };
    for (const item of page.items) this.#normalise(item, bound, into);
    const kept = keep === undefined ? into.rows : into.rows.filter(keep);
    const rows = planned.emit ? kept : [];
    await this.#deliver({ rows, rejects: into.rejects, extractedAt: page.receivedAt });
    return page.items.length;
  }

  /** Says how many rows will be handed on, where that is known before. */
  estimate(rows: number): void {
    const { planned, emit } = this.context;
    if (planned.emit) emit({ type: "estimate", stream: planned.def.name, rows });
  }

  /** Delivers rows that were not read from this stream's own endpoint, no more than a page at once. */
  async give(count: number, row: (index: number) => Row): Promise<void> {
    const { settings, startedAt } = this.context;
    for (let at = 0; at < count; at += settings.pageSize) {
      const length = Math.min(settings.pageSize, count - at);
      const rows = Array.from({ length }, (_, i) => row(at + i));
      await this.#deliver({ rows, rejects: [], extractedAt: startedAt });
    }
  }

  /**
   * A scope was read to its end: what a destination has of it beyond, is not there any more.
   *
   * @param rejectedBefore {@link rejected} when its reading began: a rejected row is there all the same.
   */
  completed(scope: Scope, rejectedBefore = 0): void {
    if (this.rejected === rejectedBefore) this.#scopes.push(scope);
  }

  /** Says that everything up to the bookmark has been handed on. */
  async checkpoint(bookmark: Bookmark): Promise<void> {
    const { planned, startedAt, deliver, emit } = this.context;
    if (!planned.emit) return;
    const stream = planned.def.name;
    const scopes = this.#scopes;
    this.#scopes = [];
    emit({ type: "checkpoint", stream });
    await deliver({
      stream,
      rows: [],
      rejects: [],
      extractedAt: startedAt,
      observedAt: startedAt,
      checkpoint: { stream, bookmark },
      ...(scopes.length === 0 ? {} : { scopes }),
    });
  }

  warn(message: string): void {
    const stream = this.context.planned.def.name;
    this.context.emit({ type: "warning", stream, message });
  }

  async #deliver(part: Pick<RecordBatch, "rows" | "rejects" | "extractedAt">): Promise<void> {
    const { planned, startedAt, deliver, settings } = this.context;
    this.rows += part.rows.length;
    this.rejected += part.rejects.length;
    if (planned.emit && (part.rows.length > 0 || part.rejects.length > 0)) {
      const stream = planned.def.name;
      await deliver({ ...part, stream, observedAt: startedAt, checkpoint: null });
    }
    const [first] = part.rejects;
    if (this.rejected > settings.maxRejects && first !== undefined) {
      throw new ConnectorError("bad_record", `${first.reason}; ${String(this.rejected)} rejected`, {
        hint: "set max_rejects to let that many rows go to the reject table",
        context: { stream: planned.def.name, rejected: this.rejected },
      });
    }
  }

  #reportDrift(field: string): void {
    if (this.#drifted.has(field)) return;
    this.#drifted.add(field);
    const isKept = this.context.planned.columns.some((c) => c.name === EXTRA.name);
    const what = isKept ? "kept in _extra" : "left out, as _extra is not selected";
    this.warn(`field "${field}" is not declared, or not a date: ${what}`);
  }
}

function encode(value: Json | undefined): string {
  return encodeURIComponent(textOf(value ?? null));
}

/**
 * True for the error of a listing that is not there: below a parent, the parent has gone. A
 * warehouse has things that are not found too, so the kind is asked for as well.
 */
export function isNotFound(error: unknown): boolean {
  if (!(error instanceof ConnectorError)) return false;
  return error.kind === "api_contract" && error.context["status"] === 404;
}
