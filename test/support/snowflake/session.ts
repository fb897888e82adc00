import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import type { DuckDBConnection } from "@duckdb/node-api";

import { said, type Answer } from "./answer.js";
import type { Relation } from "./catalog.js";
import { compilation, SnowflakeFault } from "./fault.js";
import type { Reader } from "./lexer.js";

/** Somebody who has logged in. */
export interface Session {
  readonly id: number;
  readonly user: string;
  readonly role: string;
  readonly warehouse: string | null;
  readonly database: string | null;
  readonly schema: string | null;
  readonly connection: DuckDBConnection;
  /** By name in full; seen by nobody else. */
  readonly tables: Map<string, Relation>;
  /** Folders of temporary stages, by name in full. */
  readonly stages: Map<string, string>;
  readonly parameters: Map<string, string>;
  transaction: Transaction | null;
  /** When it last did something, and whether it is doing something now: milliseconds. */
  idleSince: number | null;
  isOver: boolean;
}

/** What stands between `BEGIN` and its end. */
export interface Transaction {
  /** Whether DuckDB's has begun: not before its first statement, so that it sees what came before. */
  isBegun: boolean;
  /** Whether a statement of it failed: it can only be rolled back. */
  isAborted: boolean;
}

/** Tables that transactions have changed: the next one that changes them waits. */
export class Locks {
  readonly #holders = new Map<string, Session>();
  readonly #idleMs: number;

  /** @param idleMs after which a transaction that somebody waits for is given up, if it does nothing. */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /** Takes a table for a session's transaction. False if it was not to be had in time. */
  async take(
    table: string,
    session: Session,
    waitMs: number,
    giveUp: (idle: Session) => Promise<void>,
  ): Promise<boolean> {
    const until = performance.now() + waitMs;
    for (;;) {
      const holder = this.#holders.get(table);
      if (holder === undefined || holder === session) {
        this.#holders.set(table, session);
        return true;
      }
      const now = performance.now();
      if (holder.idleSince !== null && now - holder.idleSince > this.#idleMs) await giveUp(holder);
      else if (now > until) return false;
      else await pause(5);
    }
  }

  release(session: Session): void {
    for (const [table, holder] of this.#holders) {
      if (holder === session) this.#holders.delete(table);
    }
  }
}

/** Takes away what ends with a session. */
export async function cleared(session: Session): Promise<void> {
  for (const folder of session.stages.values()) await rm(folder, { recursive: true, force: true });
  session.stages.clear();
  session.tables.clear();
}

/** A name in full. @throws SnowflakeFault without a current schema. */
export function fullName(
  session: Session,
  chain: readonly string[],
): readonly [database: string, schema: string, name: string] {
  const name = chain.at(-1) ?? "";
  const schema = chain.at(-2) ?? session.schema;
  const database = chain.at(-3) ?? session.database;
  if (schema === null || database === null) {
    throw new SnowflakeFault(
      "090105",
      "22000",
      "Cannot perform operation. This session does not have a current database. Call 'USE DATABASE', or use a qualified name.",
    );
  }
  return [database, schema, name];
}

/** Parameters that a session may set. */
const PARAMETERS = new Set(
  `TIMEZONE TIMESTAMP_INPUT_FORMAT DATE_INPUT_FORMAT QUOTED_IDENTIFIERS_IGNORE_CASE AUTOCOMMIT TRANSACTION_ABORT_ON_ERROR
  ERROR_ON_NONDETERMINISTIC_MERGE USE_CACHED_RESULT ROWS_PER_RESULTSET JSON_INDENT STATEMENT_TIMEOUT_IN_SECONDS LOCK_TIMEOUT
  QUERY_TAG`.split(/\s+/),
);

/** `ALTER SESSION SET`. */
export function setParameters(session: Session, reader: Reader): Answer {
  do {
    const { text: name } = reader.next();
    if (!PARAMETERS.has(name)) throw compilation(`invalid property '${name}' for 'SESSION'`);
    reader.expect("=");
    session.parameters.set(name, reader.next().text);
  } while (reader.takes(","));
  if (!reader.isDone) throw compilation(`unexpected '${reader.next().text}'.`);
  return said("Statement executed successfully.");
}
