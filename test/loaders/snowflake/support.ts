import { generateKeyPairSync } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { iso } from "../../../src/core/clock.js";
import type { SyncEvent } from "../../../src/core/events.js";
import type { SinkStream } from "../../../src/core/ports.js";
import type { Checkpoint, Row } from "../../../src/core/record.js";
import {
  openSnowflake,
  type SnowflakeLoaderOptions,
} from "../../../src/loaders/snowflake/index.js";
import type { Loader } from "../../../src/loaders/loader.js";
import { batch, checkpoint, ended, runInfo, running } from "../../protocols/singer/support.js";
import { fakeClock, type FakeClock } from "../../support/clock.js";
import { startStandin, type Standin, type StandinOptions } from "../../support/snowflake/server.js";
import { rowsOf } from "../../support/snowflake/look.js";
import { folder } from "../support.js";

/** A key that logs in, and the half of it that the server knows. */
export const KEY = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** A schema at a server of its own that loaders fill. */
export interface Desk {
  readonly standin: Standin;
  readonly spool: string;
  readonly clock: FakeClock;
  readonly events: SyncEvent[];
  /** A loader that is disposed of after the test. */
  loader(options?: Partial<SnowflakeLoaderOptions>): Loader;
  /** The same, opened. */
  opened(options?: Partial<SnowflakeLoaderOptions>): Promise<Loader>;
  /** One run of its own: a stream read to its end, committed. */
  load(
    declared: SinkStream,
    rows: readonly Row[],
    options?: Partial<SnowflakeLoaderOptions>,
  ): Promise<readonly Checkpoint[]>;
  /** All rows of a table, as others see them; names in lower case. */
  rows(table: string): Promise<readonly Row[]>;
  /** What a person does there, in Snowflake's SQL. */
  change(...statements: readonly string[]): Promise<void>;
  /** Loads that wait in the spool: names of folders. */
  waiting(): Promise<readonly string[]>;
}

let seed = 0;

/** A desk of its own. */
export async function desk(server: Partial<StandinOptions> = {}): Promise<Desk> {
  const standin = await startStandin({
    users: [{ name: "LOADER", publicKey: KEY.publicKey, roles: ["LOADER_ROLE", "OTHER_ROLE"] }],
    ...server,
  });
  onTestFinished(async () => {
    await standin[Symbol.asyncDispose]();
    // The driver clears it where it copies files itself, as it does for no real server.
    process.umask(0o022);
  });
  const spool = join(await folder(), "spool");
  const clock = fakeClock();
  const events: SyncEvent[] = [];
  const loader: Desk["loader"] = (options = {}) => {
    const made = openSnowflake({ ...settings(standin.url), ...world(), ...options });
    onTestFinished(() => made[Symbol.asyncDispose]());
    return made;
  };
  const world = () => ({
    spoolDir: spool,
    pipeline: "knowbe4",
    strangers: [],
    mode: "merge" as const,
    clock,
    random: () => ((seed += 1) % 36 ** 6) / 36 ** 6,
    emit: (event: SyncEvent) => events.push(event),
    toolVersion: "0.0.0-test",
  });
  return {
    standin,
    spool,
    clock,
    events,
    loader,
    opened: async (options) => {
      const made = loader(options);
      await made.open(runInfo(), running());
      return made;
    },
    load: async (declared, rows, options) => {
      clock.advance(60_000);
      await using made = loader(options);
      await made.open(runInfo(), running());
      await made.declare(declared);
      const { name } = declared;
      const extractedAt = iso(clock.now());
      const told = [
        ...(await made.write(batch(name, rows, { checkpoint: checkpoint(name), extractedAt }))),
        ...(await made.end(ended(name))),
      ];
      return [...told, ...(await made.flush())];
    },
    rows: (table) => rowsOf(standin.engine, "KB4.KNOWBE4", table.toUpperCase()),
    change: async (...statements) => {
      const { engine } = standin;
      const session = await engine.login({
        user: "PERSON",
        role: "PERSON",
        warehouse: "WH",
        database: "KB4",
        schema: "KNOWBE4",
      });
      try {
        for (const statement of statements) await engine.execute(session, statement);
      } finally {
        await engine.logout(session);
      }
    },
    waiting: async () => {
      const names = await readdir(spool).catch(() => []);
      return names.filter((name) => /^[0-9a-z]{19}$/.test(name));
    },
  };
}

/** Settings for a server. */
function settings(url: string) {
  return {
    account: "test",
    user: "loader",
    role: "loader_role",
    warehouse: "wh",
    database: "kb4",
    schema: "knowbe4",
    credentials: { way: "key", privateKey: KEY.privateKey },
    accessUrl: url,
    statementSeconds: 900,
  } as const;
}
