import type { Clock } from "../../core/clock.js";
import { ConnectorError } from "../../core/errors.js";
import type { Answer } from "../warehouse.js";
import type { Driver, DriverConnection, DriverStatement } from "./driver.js";
import { failure } from "./failure.js";
import { readKey } from "./key.js";
import { identifier, placeOf, type Credentials, type SnowflakeOptions } from "./options.js";

/** What came of a statement. */
export interface Executed {
  readonly rows: readonly Answer[];
  /** Rows that it changed. */
  readonly changed: number;
}

/** A session at Snowflake. */
export interface Connection extends AsyncDisposable {
  /** @throws ConnectorError `destination`; the server may have done it all the same. */
  execute(purpose: string, sql: string): Promise<Executed>;
  /** The same, given up after a while that is shorter. */
  attempt(purpose: string, sql: string): Promise<void>;
  /** What later statements say of themselves in the account's history. */
  tag(loadId: string): void;
}

/** Milliseconds without an answer after which a request is sent again. */
const REQUEST_MS = 60_000;

/** Milliseconds that saying goodbye may take. */
const GOODBYE_MS = 10_000;

/** Milliseconds over what the server was told: it should be the one who ends a statement. */
const GRACE_MS = 30_000;

/**
 * Logs in.
 *
 * The driver repeats what was not answered, with the same id, so that it is done once; a statement
 * that it gave up may still arrive. It has no deadline, so the one here ends the wait.
 *
 * @throws ConnectorError `destination`.
 */
export async function connect(
  driver: Driver,
  options: SnowflakeOptions,
  clock: Clock,
): Promise<Connection> {
  const place = placeOf(options);
  const { account, user, role, warehouse, accessUrl, statementSeconds } = options;
  const raw = driver.createConnection({
    account,
    username: user,
    warehouse: identifier(warehouse),
    ...(role === undefined ? {} : { role: identifier(role) }),
    ...(accessUrl === undefined ? {} : { accessUrl }),
    ...proof(options.credentials),
    application: "knowbe4_connector",
    timeout: REQUEST_MS,
    sfRetryMaxLoginRetries: 3,
    disableQueryContextCache: true,
  });
  const deadline = new Deadline(place, clock);
  await deadline.within(4 * REQUEST_MS, "logging in", () => connected(raw));
  let queryTag = JSON.stringify({ app: "knowbe4-connector" });
  const run = (purpose: string, sql: string, ms: number): Promise<Executed> => {
    let statement: DriverStatement | undefined;
    return deadline.within(
      ms,
      purpose,
      () => executed(raw, { sql, queryTag }, (begun) => (statement = begun)),
      () => statement?.cancel(() => undefined),
    );
  };
  return {
    execute: (purpose, sql) => run(purpose, sql, statementSeconds * 1000 + GRACE_MS),
    attempt: async (purpose, sql) => {
      await run(purpose, sql, GOODBYE_MS);
    },
    tag: (loadId) => {
      queryTag = JSON.stringify({ app: "knowbe4-connector", load: loadId });
    },
    async [Symbol.asyncDispose]() {
      // What it leaves open, Snowflake ends.
      const goodbye = () =>
        new Promise<void>((resolve) => {
          raw.destroy(() => resolve());
        });
      await deadline.within(GOODBYE_MS, "closing the session", goodbye).catch(() => undefined);
    },
  };
}

function proof(credentials: Credentials): Readonly<Record<string, string>> {
  switch (credentials.way) {
    case "key":
      return {
        authenticator: "SNOWFLAKE_JWT",
        privateKey: readKey(credentials.privateKey, credentials.passphrase),
      };
    case "token":
      return {
        authenticator: credentials.type === "oauth" ? "OAUTH" : "PROGRAMMATIC_ACCESS_TOKEN",
        token: credentials.token,
      };
    case "password":
      return { password: credentials.password };
  }
}

/** The driver's own promise is kept before it knows whether the login was. */
function connected(connection: DriverConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const heard = (error: Error | null | undefined): void => {
      if (error) reject(error);
      else resolve();
    };
    connection.connectAsync(heard).catch(reject);
  });
}

function executed(
  connection: DriverConnection,
  { sql, queryTag }: { readonly sql: string; readonly queryTag: string },
  begun: (statement: DriverStatement) => void,
): Promise<Executed> {
  return new Promise((resolve, reject) => {
    const statement = connection.execute({
      sqlText: sql,
      parameters: { QUERY_TAG: queryTag },
      complete: (error, done, rows) => {
        if (error) reject(error);
        else resolve({ rows: rows ?? [], changed: done.getNumUpdatedRows() ?? 0 });
      },
    });
    begun(statement);
  });
}

/** Ends what takes too long. */
class Deadline {
  readonly #place: string;
  readonly #clock: Clock;

  constructor(place: string, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
  }

  /** @throws ConnectorError `destination` */
  async within<T>(
    ms: number,
    purpose: string,
    work: () => Promise<T>,
    giveUp: () => void = () => undefined,
  ): Promise<T> {
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(ms, () => {
        giveUp();
        reject(this.#late(ms, purpose));
      });
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      throw failure(this.#place, purpose, error);
    } finally {
      cancel();
    }
  }

  #late(ms: number, purpose: string): ConnectorError {
    return new ConnectorError(
      "destination",
      `destination ${this.#place}: ${purpose} failed: no answer within ${String(ms / 1000)} s`,
      {
        hint: "raise destination.statement_timeout, or the size of the warehouse; rows that were read wait in the spool",
      },
    );
  }
}
