import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import type { DuckDBConnection } from "@duckdb/node-api";

import { ConnectorError } from "../../core/errors.js";
import type { Statement } from "../dialect.js";
import { outrun } from "../outrun.js";
import type { Access, Answer, Missing, Session, Warehouse } from "../warehouse.js";
import { duckDbDialect, type DuckDbDialect } from "./dialect.js";
import { DuckDBInstance } from "./engine.js";
import { failure } from "./failure.js";
import { purge } from "./purge.js";

/** Where and how DuckDB works. */
export interface DuckDbOptions {
  /** Database file. */
  readonly path: string;
  readonly schema: string;
  /** As DuckDB writes it: `128MB`. */
  readonly memoryLimit: string;
  /** Folder for what does not fit into memory. */
  readonly tempDir: string;
}

/** A DuckDB file, open only while something is done with it. */
export function duckDbWarehouse(options: DuckDbOptions): Warehouse {
  const { path, schema, memoryLimit, tempDir } = options;
  const dialect = duckDbDialect(schema);
  const warehouse: Warehouse = {
    dialect,
    place: path,
    elsewhere: "set destination.path to another file, or destination.schema to another schema",
    exists: () => can(path, constants.F_OK),
    check: async () => {
      if (await can(path, constants.F_OK)) {
        await using _session = await warehouse.open("read");
        return missing(await can(path, constants.W_OK), `the file cannot be written`, path);
      }
      const folder = dirname(resolve(path));
      return missing(await can(folder, constants.W_OK), "its folder cannot be written", folder);
    },
    open: async (use) => {
      const { instance, connection } = await attached(use);
      return session(path, instance, connection, dialect);
    },
    purge: async () => {
      const { instance, connection } = await attached("write");
      try {
        await purge(path, connection);
      } finally {
        connection.closeSync();
        instance.closeSync();
      }
    },
  };
  const attached = async (use: Access) => {
    const instance = await trying(path, "opening it", () =>
      DuckDBInstance.create(":memory:", {
        memory_limit: memoryLimit,
        // What has been let go counts no more against the limit, but stays with the allocator: by default up to
        // 128 MB and 512 MB of it, so that the process takes far more than it was allowed.
        allocator_flush_threshold: "8MB",
        allocator_bulk_deallocation_flush_threshold: "16MB",
        // A second one holds about 60 MB more, beyond the limit too, and saves little time: with two,
        // a load of 250,000 rows does not fit into 128 MB; with one, a million do.
        threads: "1",
        preserve_insertion_order: "false",
        temp_directory: tempDir,
        // Nothing is ever downloaded; what is needed is built in.
        autoinstall_known_extensions: "false",
        autoload_known_extensions: "false",
      }),
    );
    const connection = await trying(path, "opening it", () => instance.connect());
    try {
      await connection.run("SET TimeZone = 'UTC'");
      // In full: DuckDB would take a `~` for somebody's home.
      await connection.run(dialect.attach(resolve(path), use).sql);
      return { instance, connection };
    } catch (error) {
      // An instance lives as long as its connections.
      connection.closeSync();
      instance.closeSync();
      throw failure(path, "opening it", error);
    }
  };
  return warehouse;
}

async function can(path: string, what: number): Promise<boolean> {
  try {
    await access(path, what);
    return true;
  } catch {
    return false;
  }
}

function missing(isThere: boolean, what: string, where: string): readonly Missing[] {
  return isThere ? [] : [{ what, fix: `let this user write to ${where}, or set destination.path` }];
}

function session(
  path: string,
  instance: DuckDBInstance,
  connection: DuckDBConnection,
  dialect: DuckDbDialect,
): Session {
  let stages = 0;
  const execute = async ({ purpose, sql, isFence }: Statement): Promise<void> => {
    const { rowsChanged } = await trying(path, purpose, () => connection.run(sql));
    if (isFence === true && rowsChanged !== 1) throw outrun();
  };
  const query = (purpose: string, sql: string): Promise<readonly Answer[]> =>
    trying(path, purpose, async () => {
      const reader = await connection.runAndReadAll(sql);
      return reader.getRowObjects();
    });
  return {
    query,
    run: async (statements) => {
      for (const statement of statements) await execute(statement);
    },
    transact: async (statements) => {
      await execute({ purpose: "beginning a transaction", sql: "BEGIN TRANSACTION" });
      try {
        for (const statement of statements) await execute(statement);
        await execute({ purpose: "committing", sql: "COMMIT" });
      } catch (error) {
        // It fails if the transaction is already gone, which is what it is for.
        await connection.run("ROLLBACK").catch(() => undefined);
        throw error;
      }
    },
    stage: async (table, file) => {
      stages += 1;
      const relation = `_stage_${String(stages)}`;
      await execute(dialect.stage(table, file, relation));
      const counting = dialect.countStaged({ table, relation });
      const [count] = await query(`counting rows for ${table.name}`, counting);
      return { table, relation, rows: Number(count?.["n"]) };
    },
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      instance.closeSync();
      await Promise.resolve();
    },
  };
}

async function trying<T>(path: string, purpose: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ConnectorError ? error : failure(path, purpose, error);
  }
}
