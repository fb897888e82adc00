import type { Traces } from "../../core/privacy/traces.js";
import type { Wanted } from "./person.js";

/** Who is to be forgotten, and where streams name people. */
export interface Forgetting {
  readonly wanted: Wanted;
  readonly streams: readonly Traces[];
}

/** What there was of a person in a table. Null where the table has no column that could tell. */
export interface ForgottenTable {
  readonly table: string;
  /** Rows that are theirs, all versions. */
  readonly rows: number | null;
  /** Times that rows of others name them. */
  readonly mentions: number;
}

/** What there was of a person. */
export interface Forgotten {
  readonly tables: readonly ForgottenTable[];
  /** Bookmarks that know them. */
  readonly bookmarks: number;
}

/** Whether there is anything of the person. */
export function isAnything({ tables, bookmarks }: Forgotten): boolean {
  return bookmarks > 0 || tables.some(({ rows, mentions }) => (rows ?? 0) + mentions > 0);
}
