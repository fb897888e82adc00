import type { CommitOptions, Refusal } from "./commit.js";
import type { LoadRecord } from "./dialect.js";
import type { Manifest } from "./manifest.js";
import type { Table } from "./table.js";
import type { Missing } from "./warehouse.js";

/** What a place keeps of one pipeline: which version its state has, and the bookmarks. */
export interface KeptState {
  /** 0 if there is no state. */
  readonly version: number;
  /** As they were written, not checked yet. */
  readonly bookmarks: Readonly<Record<string, unknown>>;
}

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
  /** False if there is nothing yet that could be read. */
  exists(): Promise<boolean>;
  /** What a person must do before rows can be written; writes nothing. */
  check(): Promise<readonly Missing[]>;
  /** Makes what is needed before the first commit; tells whose state there is, and this one's. */
  prepare(pipeline: string): Promise<KeptState & { readonly pipelines: readonly string[] }>;
  /**
   * Says before anything is read what would be refused at the commit: a table that was filled in
   * another way. Knows what stood there at {@link prepare}.
   */
  foresee?(table: Table): void;
  readState(pipeline: string): Promise<KeptState>;
  /** By stream: what shows that it was read completely, when it last was. */
  readProofs(pipeline: string): Promise<Readonly<Record<string, unknown>>>;
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
}
