import { ConnectorError } from "../../core/errors.js";

interface Known {
  readonly sign: RegExp;
  readonly kind: "destination" | "locked";
  readonly what: string;
  readonly hint: string;
}

/** What DuckDB says of trouble that a person can do something about. */
const KNOWN: readonly Known[] = [
  {
    sign: /Could not set lock/,
    kind: "locked",
    what: "another process holds the database",
    hint: "close it there, or give this run a file of its own",
  },
  {
    sign: /not a valid DuckDB database/,
    kind: "destination",
    what: "the file is not a DuckDB database",
    hint: "set destination.path to another file",
  },
  {
    sign: /database file with version number|storage version|newer version of DuckDB/i,
    kind: "destination",
    what: "the database was written by a newer DuckDB",
    hint: "write to another file, or export it with the newer one",
  },
  {
    sign: /No space left|disk full|File too large|quota exceeded/i,
    kind: "destination",
    what: "the disk is full",
    hint: "make room and run again: rows that were read wait in the spool",
  },
  {
    sign: /Permission denied|Read-only file system/i,
    kind: "destination",
    what: "permission denied",
    hint: "set destination.path to a file that can be written",
  },
  {
    sign: /Is a directory/,
    kind: "destination",
    what: "it is a folder",
    hint: "set destination.path to a file",
  },
  {
    sign: /No such file or directory|Cannot open file/,
    kind: "destination",
    what: "the folder does not exist or cannot be written",
    hint: "make the folder, or set destination.path to another file",
  },
  {
    sign: /Out of Memory Error/,
    kind: "destination",
    what: "the memory limit is too low for this load",
    hint: "raise destination.memory_limit",
  },
];

/** Faults whose text names tables and columns and never a value. */
const SAFE = /^(Binder|Catalog|Dependency|TransactionContext) Error: [^\n]*/;

/**
 * A fault of DuckDB as ours. Its own text may quote rows and is kept as the cause only.
 *
 * @param purpose what was being done.
 */
export function failure(path: string, purpose: string, error: unknown): ConnectorError {
  const text = error instanceof Error ? error.message : "";
  const known = KNOWN.find(({ sign }) => sign.test(text));
  if (known !== undefined) {
    const { kind, what, hint } = known;
    return new ConnectorError(kind, `destination ${path}: ${what}`, { hint, cause: error });
  }
  const detail = SAFE.exec(text)?.[0] ?? /^[A-Z][\w ]* Error/.exec(text)?.[0] ?? "unknown fault";
  return new ConnectorError("destination", `destination ${path}: ${purpose} failed: ${detail}`, {
    hint: "rows that were read wait in the spool; the next run commits them",
    cause: error,
  });
}
