import type { Refusal } from "../core/vanished.js";
import type { CommitOptions } from "./commit.js";
import type { CountAsk, LoadRecord } from "./dialect.js";
import type { Forgetting, Forgotten } from "./forget/forget.js";
import type { Manifest } from "./manifest.js";
import type { Mode, Table } from "./table.js";
import type { Estimate, Missing } from "./warehouse.js";

/** What a place keeps of one pipeline: which version its state has, and the bookmarks. */
export interface KeptState {
  /** 0 if there is no state. */
  readonly version: number;
  /** As they were written, not checked yet. */
  readonly bookmarks: Readonly<Record<string, unknown>>;
}

/** Rows that are there, by the value of a column as text; all under one name where there is none. */
export type Counts = ReadonlyMap<string, number>;

/** Tries something until it is possible or patience ends. */
export type Patience = <T>(attempt: () => Promise<T>) => Promise<T>;

/**
 * Where a loader keeps tables and state: a warehouse ({@link sqlStore}) or a folder of files.
 *
 * @throws ConnectorError `destination`; `locked` where another process holds it or has committed
 *   meanwhile.
 */
export interface Store {
  /** For messages: `DuckDB`. */
  readonly name: string;
  /** For messages: where it is. */
  readonly place: string;
  /** What to set for rows to go elsewhere, for hints. */
  readonly elsewhere: string;
  /** See `Warehouse.estimate`. */
  estimate?(tables: readonly Table[]): Promise<readonly Estimate[]>;
  /** False if there is nothing yet that could be read. */
  exists(): Promise<boolean>;
  /** What a person must do before rows can be written; writes nothing. */
  check(): Promise<readonly Missing[]>;
  /** Makes what is needed before the first commit; tells whose state there is, and this one's. */
  prepare(pipeline: string): Promise<KeptState & { readonly pipelines: readonly string[] }>;
  /**
   * Says before anything is read that a table was filled in another way, which rows of this mode
   * would not go with. Knows what stood there at {@link prepare}.
   */
  foresee?(table: Table, mode: Mode): void;
  readState(pipeline: string): Promise<KeptState>;
  /** By stream: what shows that it was read completely, when it last was. */
  readProofs(pipeline: string): Promise<Readonly<Record<string, unknown>>>;
  /** How many rows each of these tables has that are there; null for one that was never made. */
  countRows(asks: readonly CountAsk[]): Promise<readonly (Counts | null)[]>;
  /**
   * Rows, rejected rows, state and the record of the load at once, or none of it. Does nothing if
   * the load is there already. Tells the streams of which too many rows had gone: their bookmarks
   * were left where they are.
   */
  commit(
    manifest: Manifest,
    record: LoadRecord,
    patiently: Patience,
    limits: Pick<CommitOptions, "maxVanishedRatio">,
  ): Promise<readonly Refusal[]>;
  /** Counts what there is of a person in all tables and states, of all pipelines; erases nothing. */
  find(forgetting: Forgetting): Promise<Forgotten>;
  /** Erases it, at once or not at all, and moves every state: runs under way cannot bring it back. */
  forget(forgetting: Forgetting, record: LoadRecord): Promise<Forgotten>;
}
