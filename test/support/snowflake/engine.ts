import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";

import { answerOf, said, type Answer } from "./answer.js";
import { Catalog, type Relation } from "./catalog.js";
import { copyInto } from "./copy.js";
import { alterTable, createTable, createView, dropTable } from "./ddl.js";
import { compilation, faultOf, SnowflakeFault, unknownObject } from "./fault.js";
import { mergeInto } from "./merge.js";
import { isA, Reader, tokensOf } from "./lexer.js";
import { createSchema, createStage, put } from "./places.js";
import { cleared, fullName, Locks, setParameters, type Session } from "./session.js";
import { scopeOf } from "./scope.js";
import { showGrants } from "./show.js";
import { decoded, encoded, MACROS, translated, type Scope } from "./translate.js";
import { deleteFrom, insertInto, update } from "./write.js";

/** Where an engine keeps its files, and how patient it is. */
export interface EngineOptions {
  readonly folder: string;
  /** After so long an idle transaction that blocks another is rolled back; milliseconds. */
  readonly idleMs?: number;
  readonly warehouses?: readonly string[];
}

/** Statements that need no warehouse. */
const FREE = new Set([
  "ALTER",
  "CREATE",
  "DROP",
  "PUT",
  "SHOW",
  "BEGIN",
  "COMMIT",
  "ROLLBACK",
  "USE",
]);

/** Snowflake's statements over DuckDB: as strict as Snowflake where DuckDB is not. */
export class Engine {
  readonly catalog = new Catalog();
  readonly warehouses: ReadonlySet<string>;
  readonly #instance: DuckDBInstance;
  readonly folder: string;
  readonly #locks: Locks;
  #count = 0;

  private constructor(instance: DuckDBInstance, options: EngineOptions) {
    this.#instance = instance;
    this.folder = options.folder;
    this.#locks = new Locks(options.idleMs ?? 300);
    this.warehouses = new Set(options.warehouses ?? ["WH"]);
  }

  static async start(options: EngineOptions): Promise<Engine> {
    const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
    const connection = await instance.connect();
    for (const macro of MACROS) await connection.run(macro);
    connection.closeSync();
    return new Engine(instance, options);
  }

  /** Looks at tables from outside, in DuckDB's own SQL. */
  async inspect<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.#instance.connect();
    try {
      await connection.run("SET TimeZone = 'UTC'");
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  }

  async login(
    who: Pick<Session, "user" | "role" | "warehouse" | "database" | "schema">,
  ): Promise<Session> {
    const connection = await this.#instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    this.#count += 1;
    return {
      ...who,
      id: this.#count,
      connection,
      tables: new Map(),
      stages: new Map(),
      parameters: new Map(),
      transaction: null,
      idleSince: performance.now(),
      isOver: false,
    };
  }

  async logout(session: Session): Promise<void> {
    if (session.isOver) return;
    session.isOver = true;
    await this.rollback(session);
    session.connection.closeSync();
    await cleared(session);
  }

  stop(): void {
    this.#instance.closeSync();
  }

  /** @throws SnowflakeFault */
  async execute(session: Session, sql: string): Promise<Answer> {
    session.idleSince = null;
    try {
      return await this.#execute(session, sql);
    } catch (error) {
      const fault = faultOf(error);
      if (session.transaction !== null) await this.#abort(session);
      throw fault;
    } finally {
      // Without a transaction each statement is one.
      if (session.transaction === null) this.#locks.release(session);
      session.idleSince = performance.now();
    }
  }

  async rollback(session: Session): Promise<void> {
    const { transaction } = session;
    session.transaction = null;
    if (transaction?.isBegun === true) await session.connection.run("ROLLBACK");
    this.#locks.release(session);
  }

  /** DuckDB's name of a table. @throws SnowflakeFault */
  relation(session: Session, chain: readonly string[]): Relation {
    const [database, schema, name] = fullName(session, chain);
    const own = session.tables.get([database, schema, name].join("\0"));
    if (own !== undefined) return own;
    const found = this.catalog.schema(session.role, database, schema).get(name);
    const shown = `${database}.${schema}.${name}`;
    if (found === undefined || !this.catalog.sees(session.role, "TABLE", shown)) {
      throw unknownObject("Object", shown);
    }
    return found;
  }

  /** A table that is about to be changed. */
  async changing(
    session: Session,
    chain: readonly string[],
    ...privileges: readonly string[]
  ): Promise<Relation> {
    const relation = this.relation(session, chain);
    if (relation.kind === "VIEW") {
      throw compilation(`View '${relation.name.split("\0").join(".")}' cannot be changed.`);
    }
    if (relation.kind === "BASE TABLE") {
      for (const privilege of privileges) {
        this.catalog.require(session.role, privilege, "TABLE", relation.name.split("\0").join("."));
      }
    }
    return relation;
  }

  /** Keeps others from changing a table until the transaction ends, and begins DuckDB's. */
  async locking(session: Session, relation: Relation): Promise<void> {
    if (relation.kind === "BASE TABLE") {
      const seconds = Number(session.parameters.get("LOCK_TIMEOUT") ?? 43_200);
      const isMine = await this.#locks.take(relation.name, session, seconds * 1000, (idle) =>
        this.#abort(idle),
      );
      if (!isMine) {
        throw new SnowflakeFault(
          "000625",
          "57014",
          `Statement was aborted because the lock of table '${relation.name.split("\0").join(".")}' was not to be had.`,
        );
      }
    }
    await this.begun(session);
  }

  /** Does several things of DuckDB's as one statement. */
  async together<T>({ connection, transaction }: Session, work: () => Promise<T>): Promise<T> {
    if (transaction !== null) return work();
    await connection.run("BEGIN TRANSACTION");
    try {
      const done = await work();
      await connection.run("COMMIT");
      return done;
    } catch (error) {
      await connection.run("ROLLBACK").catch(() => undefined);
      throw error;
    }
  }

  /** Begins DuckDB's transaction if one is open. */
  async begun(session: Session): Promise<void> {
    const { transaction } = session;
    if (transaction === null || transaction.isBegun) return;
    await session.connection.run("BEGIN TRANSACTION");
    transaction.isBegun = true;
  }

  scope(session: Session): Scope {
    return scopeOf(this, session);
  }

  async #execute(session: Session, sql: string): Promise<Answer> {
    const tokens = tokensOf(sql);
    const end = tokens.findIndex((token) => isA(token, ";"));
    if (end !== -1 && end < tokens.length - 1) {
      throw new SnowflakeFault(
        "000008",
        "0A000",
        "Actual statement count 2 did not match the desired statement count 1.",
      );
    }
    const reader = new Reader(end === -1 ? tokens : tokens.slice(0, end));
    const { text: verb } = reader.next();
    const { transaction } = session;
    if (transaction?.isAborted === true && verb !== "ROLLBACK") {
      if (verb === "COMMIT") session.transaction = null;
      throw new SnowflakeFault(
        "000625",
        "25000",
        "The transaction was aborted by an earlier error.",
      );
    }
    // A value without a table needs none either.
    const isFree = FREE.has(verb) || (verb === "SELECT" && !tokens.some((t) => isA(t, "FROM")));
    if (!isFree) this.#requireWarehouse(session);
    return this.#dispatch(session, verb, reader);
  }

  #requireWarehouse({ role, warehouse }: Session): void {
    const isUsable =
      warehouse !== null &&
      this.warehouses.has(warehouse) &&
      this.catalog.sees(role, "WAREHOUSE", warehouse);
    if (isUsable) return;
    throw new SnowflakeFault(
      "000606",
      "57P03",
      "No active warehouse selected in the current session.  Select an active warehouse with the 'use warehouse' command.",
    );
  }

  async #dispatch(session: Session, verb: string, reader: Reader): Promise<Answer> {
    switch (verb) {
      case "BEGIN":
        reader.takes("TRANSACTION");
        session.transaction ??= { isBegun: false, isAborted: false };
        return said("Statement executed successfully.");
      case "COMMIT":
        await this.#commit(session);
        return said("Statement executed successfully.");
      case "ROLLBACK":
        await this.rollback(session);
        return said("Statement executed successfully.");
      case "SELECT":
        return this.#select(session, reader);
      case "SHOW":
        return showGrants(this, session, reader);
      case "INSERT":
        return insertInto(this, session, reader);
      case "UPDATE":
        return update(this, session, reader);
      case "DELETE":
        return deleteFrom(this, session, reader);
      case "MERGE":
        return mergeInto(this, session, reader);
      case "COPY":
        await this.begun(session);
        return copyInto(this, session, reader);
      case "PUT":
        return put(session, reader);
      case "CREATE":
      case "ALTER":
      case "DROP":
        if (verb === "ALTER" && reader.takes("SESSION", "SET"))
          return setParameters(session, reader);
        // As in Snowflake: a definition ends the transaction that is open.
        await this.#commit(session);
        return this.#define(session, verb, reader);
      default:
        throw compilation(`unexpected '${verb}'.`);
    }
  }

  async #define(session: Session, verb: string, reader: Reader): Promise<Answer> {
    if (verb === "DROP") return dropTable(this, session, reader);
    if (verb === "ALTER") {
      reader.expect("TABLE");
      return alterTable(this, session, reader);
    }
    const isNew = reader.takes("OR", "REPLACE");
    const isTemporary = reader.takes("TEMPORARY");
    const isTransient = !isTemporary && reader.takes("TRANSIENT");
    if (reader.takes("TABLE")) return createTable(this, session, reader, { isNew, isTemporary });
    if (isTransient) throw compilation("unexpected 'TRANSIENT'.");
    if (reader.takes("VIEW")) return createView(this, session, reader, { isNew });
    if (reader.takes("SCHEMA")) return createSchema(this, session, reader);
    reader.expect("STAGE");
    return createStage(this, session, reader, { isTemporary });
  }

  /** Makes a schema, and its database. */
  async addSchema(database: string, schema: string): Promise<void> {
    this.catalog.databases.add(database);
    this.catalog.schemas.set(`${database}.${schema}`, new Map());
    await this.inspect((connection) =>
      connection.run(`CREATE SCHEMA IF NOT EXISTS ${encoded(`${database}.${schema}`)}`),
    );
  }

  async #select(session: Session, reader: Reader): Promise<Answer> {
    const sql = translated(reader.rest(), this.scope(session));
    await this.begun(session);
    const found = await session.connection.runAndReadAll(`SELECT ${sql}`);
    return answerOf(found.columnNames().map(decoded), found.columnTypes(), found.getRows());
  }

  async #commit(session: Session): Promise<void> {
    const { transaction } = session;
    session.transaction = null;
    if (transaction?.isBegun === true) await session.connection.run("COMMIT");
    this.#locks.release(session);
  }

  async #abort(session: Session): Promise<void> {
    await this.rollback(session);
    session.transaction = { isBegun: false, isAborted: true };
  }
}
