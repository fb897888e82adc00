import type { ColumnType } from "../core/fields.js";
import type { Checkpoint, Scope } from "../core/record.js";
import type { Table, TableColumn } from "./table.js";
import type { Words } from "./words.js";

/** SQL and what it is for: one statement, as a rule. */
export interface Statement {
  /** What is being done, for messages: `merge into users`. Names no value. */
  readonly purpose: string;
  readonly sql: string;
  /** True if it must change exactly one row: otherwise another runner was faster, see {@link outrun}. */
  readonly isFence?: true;
  /** True if it may be denied to us: what it makes may be there already, and later ones tell. */
  readonly mayBeDenied?: true;
}

/** Rows of one table that a load brings, already in the warehouse under another name. */
export interface Staged {
  /** Table, with the types that the staged rows have. */
  readonly table: Table;
  /** Name of the staging table, quoted and ready for SQL. */
  readonly relation: string;
}

/** What a load says of itself in `_kb4_loads`. */
export interface LoadRecord {
  readonly loadId: string;
  readonly runId: string;
  readonly pipeline: string;
  /** ISO 8601, UTC: when the run started. */
  readonly startedAt: string;
  /** ISO 8601, UTC: when the load was committed. */
  readonly committedAt: string;
  readonly toolVersion: string;
}

/** The state that a load moves: which version it starts from, and the bookmarks it brings. */
export interface StateMove {
  readonly pipeline: string;
  readonly loadId: string;
  /** Version that the run started from; 0 if there was no state. */
  readonly from: number;
  readonly checkpoints: readonly Checkpoint[];
  readonly at: string;
}

/** How staged rows go into their table. */
export interface Merge {
  readonly staged: Staged;
  readonly loadId: string;
  /** False if rows with an equal hash must be written too, because the table has new columns. */
  readonly skipsUnchanged: boolean;
  /** True if staged rows have a key more than once. */
  readonly hasRepeats: boolean;
}

/** What a load read completely of a table: rows of it that are not among those staged have gone. */
export interface Vanishing {
  readonly table: Table;
  /** Staging table with all rows of these scopes; null if there are none. */
  readonly relation: string | null;
  readonly scopes: readonly Scope[];
  /** What goes into `_kb4_deleted_at`: start of the run, ISO 8601 UTC. */
  readonly at: string;
}

/** Rows of a table to count: different keys among those that are not marked as gone. */
export interface CountAsk {
  readonly table: string;
  readonly key: readonly string[];
  /** Column for whose values they are counted apart; null for all together. */
  readonly by: string | null;
}

/**
 * A warehouse's SQL: pure functions from plans to text, so that every statement can be read in a
 * golden file. Knows neither a driver nor a file.
 *
 * Queries name their columns as documented here, whatever case the warehouse likes.
 */
export interface Dialect {
  /** For messages: `DuckDB`. */
  readonly name: string;
  /** Whether tables can be made and changed within the transaction of a load. */
  readonly transactionalDdl: boolean;
  /** What people are looked for with. */
  readonly words: Words;

  /** Makes the schema and the loader's own tables where they are missing. */
  bookkeeping(): readonly Statement[];
  /** All tables and columns of the schema: `relation, kind, name, type, required` (kind `table` or not). */
  describe(): string;
  /** Our type of a type that {@link describe} gave; undefined for one that is not ours. */
  typeOf(name: string): ColumnType | undefined;
  /** The warehouse's name of a type, for messages and DDL. */
  typeName(type: ColumnType): string;

  createTable(table: Table): readonly Statement[];
  addColumn(table: string, column: TableColumn): readonly Statement[];
  widenColumn(
    table: string,
    column: string,
    from: ColumnType,
    to: ColumnType,
  ): readonly Statement[];

  /** Absent where {@link widenColumn} is one statement or takes part in a transaction. */
  readonly spare?: Spare;

  /** Whether staged rows have a key more than once: one row or none. Null if a merge takes such rows. */
  findRepeats(staged: Staged): string | null;
  /** How many rows a merge would write: `n`. Null where an idle merge costs nothing. */
  countChanges(merge: Merge): string | null;
  merge(merge: Merge): readonly Statement[];
  /** The same for tables that keep history. */
  readonly history: HistoryDialect;
  append(staged: Staged, loadId: string): readonly Statement[];
  /** Swaps all rows; null leaves the table empty. */
  replace(table: string, staged: Staged | null, loadId: string): readonly Statement[];
  /**
   * How many rows there were before this run marked any, `live`, and how many of them it has
   * marked or would now, `vanished`.
   */
  countVanished(vanishing: Vanishing): string;
  /** Marks the rows that have gone. Before the merge, which takes unchanged rows out of what is staged. */
  markVanished(vanishing: Vanishing): Statement;
  /** Rows that are there: `part`, a value of the column, and `n`. @param marks whether the table can mark rows as gone. */
  countRows(ask: CountAsk, marks: "marks" | "no marks"): string;
  /** Rejected rows, staged as `stream, reason, raw, seen_at`. */
  appendRejects(relation: string, loadId: string): Statement;

  /** Bookmarks of a pipeline: `stream, version, state`; stream `''` carries the state's version. */
  readState(pipeline: string): string;
  /** The last proof of each stream of a pipeline: `stream, proof`. */
  readProofs(pipeline: string): string;
  /** Everybody who keeps a state there: `pipeline`. */
  pipelines(): string;
  /** Tables whose last load appended to them, whoever's it was: `stream`. */
  appended(): string;
  /** Fences off other runners, then writes the bookmarks. Must come first in the transaction. */
  moveState(move: StateMove): readonly Statement[];
  /** Whether a load was committed: one row or none. */
  findLoad(loadId: string): string;
  /** One row of `_kb4_loads` per table; one for the state alone if there is none. */
  recordLoad(record: LoadRecord, tables: readonly LoadedTable[]): readonly Statement[];
}

/**
 * SQL of tables that keep every version of a row, each for the time in which it held: from
 * `_kb4_valid_from` until just before `_kb4_valid_to`.
 *
 * A version begins when it was observed. Where that is not later than what is there already, because
 * a clock was set back or a run brings a row twice, it begins a millisecond after that: no version
 * is lost, none is empty and no two overlap.
 */
export interface HistoryDialect {
  /** How many versions a merge would begin: `n`. Null where an idle merge costs nothing. */
  countChanges(merge: Merge): string | null;
  /**
   * Ends the versions that differ from what is staged and begins new ones. Unless it skips unchanged
   * rows, new columns of versions that hold are filled: that is no new version.
   */
  merge(merge: Merge): readonly Statement[];
  /** Makes the view {@link currentOf} of a table, or makes it anew. @param columns of the view. */
  makeView(table: Table, columns: readonly string[]): readonly Statement[];
}

/** A column that holds another's values while its type is changed, in case that is cut off. */
export interface Spare {
  name(column: string): string;
  /** Puts it into the place of a column that is gone. */
  take(table: string, column: string): readonly Statement[];
}

/** What a load brought to one table. */
export interface LoadedTable {
  readonly stream: string;
  readonly mode: string;
  readonly staged: number;
  readonly rejected: number;
  /** What shows that the stream was read completely, as JSON text; null before its end. */
  readonly proof: string | null;
  /** Staging table, which after the merge holds the rows that were written; null if there is none. */
  readonly relation: string | null;
}
