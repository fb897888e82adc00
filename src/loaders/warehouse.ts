import type { Dialect, Staged, Statement } from "./dialect.js";
import type { Table } from "./table.js";

/** A file of spooled rows: one JSON object per line. */
export interface SpooledFile {
  readonly path: string;
  readonly rows: number;
  /** Of the longest line, in bytes. */
  readonly longest: number;
}

/** A row of a query's answer, by the names that the query gave. */
export type Answer = Readonly<Record<string, unknown>>;

/** An open connection. Closed after each commit, so that others may read in between. */
export interface Session extends AsyncDisposable {
  query(purpose: string, sql: string): Promise<readonly Answer[]>;
  /** Statements one by one, each for itself. */
  run(statements: readonly Statement[]): Promise<void>;
  /** Statements together: all take effect or none does, and for a load at most once. */
  transact(statements: readonly Statement[], loadId: string): Promise<void>;
  /** Brings a file's rows into a staging table that ends with the session, and counts them there. */
  stage(
    table: Table,
    file: SpooledFile,
    loadId: string,
  ): Promise<Staged & { readonly rows: number }>;
}

/** Something that a person must do before rows can be written. */
export interface Missing {
  /** What is not so, as `dataset crm does not exist`. */
  readonly what: string;
  /** What makes it so: the role to give, the statement to run, the setting to change. */
  readonly fix: string;
}

/** Bytes that a warehouse would bill for merging into a table. */
export interface Estimate {
  readonly table: string;
  /** If no row changed. */
  readonly compare: number;
  /** If rows of every month did, beside the comparing. */
  readonly merge: number;
}

/** How a session will be used. */
export type Access = "read" | "write";

/**
 * A warehouse and its driver.
 *
 * @throws ConnectorError `destination`, with the purpose of the statement and never a value;
 *   `locked` where another process holds the database.
 */
export interface Warehouse {
  readonly dialect: Dialect;
  /** For messages: where it is. */
  readonly place: string;
  /** What to set for rows to go elsewhere, for hints: `set destination.path to another file`. */
  readonly elsewhere: string;
  /**
   * What is missing before rows can be written, all of it; connects and writes nothing. Empty if
   * nothing is.
   */
  check(): Promise<readonly Missing[]>;
  /**
   * What merging into these tables would be billed, without doing it; tables that are not there yet are
   * left out. Absent where what is read costs nothing.
   */
  estimate?(tables: readonly Table[]): Promise<readonly Estimate[]>;
  /** False if there is nothing yet that could be read. */
  exists(): Promise<boolean>;
  open(access: Access): Promise<Session>;
  /** Makes sure that nothing is left of rows that were taken out, where the warehouse keeps it. */
  readonly purge?: () => Promise<void>;
}
