import type { Clock } from "../../core/clock.js";
import { ConnectorError } from "../../core/errors.js";
import type { Statement } from "../dialect.js";
import { outrun } from "../outrun.js";
import type { Mode } from "../table.js";
import type { Session, Warehouse } from "../warehouse.js";
import { connect, type Connection } from "./connection.js";
import { snowflakeDialect, type SnowflakeDialect } from "./dialect.js";
import { loadSnowflake } from "./driver.js";
import { missingGrants } from "./grants.js";
import { nameOf } from "./names.js";
import { checkAddress, placeOf, type SnowflakeOptions } from "./options.js";
import { CUTTING, uploadInParts, type Cutting } from "./upload.js";

/** What a warehouse needs beside the settings. */
export interface World {
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** How rows will be loaded, which decides what a role must be allowed; merge unless given. */
  readonly mode?: Mode;
  readonly cutting?: Cutting;
}

/**
 * A schema in Snowflake, logged in to only while something is done with it.
 *
 * @throws ConnectorError `config` for an account or an address that cannot be one.
 */
export function snowflakeWarehouse(options: SnowflakeOptions, world: World): Warehouse {
  checkAddress(options);
  const dialect = snowflakeDialect(nameOf(options.database), nameOf(options.schema));
  const { statementSeconds, credentials } = options;
  let hasWarned = false;
  const login = async (): Promise<Connection> => {
    if (credentials.way === "password" && !hasWarned) {
      hasWarned = true;
      world.warn(
        "destination.password: Snowflake is ending sign-in by a password alone; use destination.private_key_file",
      );
    }
    return connect(await loadSnowflake(), options, world.clock);
  };
  return {
    dialect,
    place: placeOf(options),
    elsewhere: "set destination.schema to another schema",
    // Asking costs as much as reading, which answers for a schema that is not there too.
    exists: () => Promise.resolve(true),
    check: async () => {
      await using connection = await login();
      return await missingGrants(connection, options, dialect, world.mode ?? "merge");
    },
    open: async () => {
      const connection = await login();
      try {
        const { purpose, sql } = dialect.settings({ statementSeconds });
        await connection.execute(purpose, sql);
        return session(connection, dialect, world.cutting ?? CUTTING);
      } catch (error) {
        await connection[Symbol.asyncDispose]();
        throw error;
      }
    },
  };
}

function session(connection: Connection, dialect: SnowflakeDialect, cutting: Cutting): Session {
  let stages = 0;
  const execute = async ({ purpose, sql, isFence, mayBeDenied }: Statement): Promise<void> => {
    try {
      const { changed } = await connection.execute(purpose, sql);
      if (isFence === true && changed !== 1) throw outrun();
    } catch (error) {
      if (mayBeDenied !== true || !isDenied(error)) throw error;
    }
  };
  return {
    query: async (purpose, sql) => (await connection.execute(purpose, sql)).rows,
    run: async (statements) => {
      for (const statement of statements) await execute(statement);
    },
    transact: async (statements, loadId) => {
      connection.tag(loadId);
      await execute({ purpose: "beginning a transaction", sql: "BEGIN TRANSACTION" });
      try {
        for (const statement of statements) await execute(statement);
        await execute({ purpose: "committing", sql: "COMMIT" });
      } catch (error) {
        // Snowflake would keep what came before the error. If this fails, the session's end does it.
        await connection.attempt("rolling back", "ROLLBACK").catch(() => undefined);
        throw error;
      }
    },
    stage: async (table, file, loadId) => {
      connection.tag(loadId);
      stages += 1;
      if (stages === 1) await execute(dialect.createFiles());
      const folder = String(stages);
      const staged = { table, relation: dialect.staging(`_kb4_stage_${folder}`) };
      await execute(dialect.createStaging(staged));
      await uploadInParts(file.path, cutting, (part) =>
        execute(dialect.put(part.replaceAll("\\", "/"), folder)),
      );
      const { purpose, sql } = dialect.copy(staged, folder);
      const { rows } = await connection.execute(purpose, sql);
      const count = rows.reduce((sum, row) => sum + Number(row["rows_loaded"] ?? 0), 0);
      return { ...staged, rows: count };
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** Privileges that are missing: whether the thing is there cannot be told from this. */
function isDenied(error: unknown): boolean {
  return error instanceof ConnectorError && error.context["code"] === "003001";
}
