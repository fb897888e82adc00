import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline/promises";
import { setImmediate as nextTurn, setTimeout as realSleep } from "node:timers/promises";

import { DuckDBInstance } from "@duckdb/node-api";

import { iso } from "../../src/core/clock.js";
import { ConnectorError } from "../../src/core/errors.js";
import type { RecordBatch, Row } from "../../src/core/record.js";
import { EMPTY_STATE } from "../../src/core/state.js";
import { openBigQuery } from "../../src/loaders/bigquery/index.js";
import { hold } from "../../src/loaders/duckdb/hold.js";
import { openDuckDb } from "../../src/loaders/duckdb/index.js";
import { duckDbWarehouse } from "../../src/loaders/duckdb/warehouse.js";
import { Loader } from "../../src/loaders/loader.js";
import { openSnowflake } from "../../src/loaders/snowflake/index.js";
import { sqlStore } from "../../src/loaders/sql-store.js";
import { halting } from "./halting.js";
import { numbered } from "./kills.js";

/** Another process beside a test's: what it does is the first argument, where the second. */

const [command = "", path = "", mode = "append", how = ""] = process.argv.slice(2);

/** Commits before a process that counts comes to the point where it is killed. */
const [point = "", commits = "0"] = how.split("#");

const say = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

/** Until the test closes our input. */
async function told(): Promise<void> {
  for await (const _line of createInterface(process.stdin));
}

/**
 * Into a DuckDB file; or, where the path is `http://…#dataset`, into BigQuery; or, where it is
 * `snowflake:http://…#spool`, into Snowflake.
 */
function loader(): Loader {
  if (path.startsWith("snowflake:")) return snowflake(path.slice("snowflake:".length));
  const [endpoint = "", dataset, spoolDir] = path.split("#");
  if (dataset === undefined) {
    if (point !== "") return halted();
    return openDuckDb({ ...common, path, schema: "knowbe4", memoryLimit: "128MB" });
  }
  const settings = { project: "test-project", dataset, create_dataset: true };
  return openBigQuery({
    ...common,
    ...(spoolDir === undefined ? {} : { spoolDir }),
    settings: { ...settings, api_endpoint: endpoint },
  });
}

/** A loader that comes to a point and goes no further. */
function halted(): Loader {
  const spoolDir = `${path}.spool`;
  const [schema, memoryLimit, tempDir] = ["knowbe4", "128MB", `${spoolDir}/tmp`];
  const real = duckDbWarehouse({ path, schema, memoryLimit, tempDir });
  const store = sqlStore(
    halting(real, { point, commits: Number(commits), say, folder: dirname(path) }),
  );
  return new Loader({ ...common, spoolDir, hold, store });
}

function snowflake(place: string): Loader {
  const [accessUrl = "", spoolDir = ""] = place.split("#");
  return openSnowflake({
    ...common,
    account: "test",
    user: "service",
    warehouse: "wh",
    database: "kb4",
    schema: "knowbe4",
    credentials: { way: "token", token: "token-of-a-test", type: "programmatic" },
    accessUrl,
    statementSeconds: 60,
    spoolDir,
  });
}

const common = {
  pipeline: "knowbe4",
  strangers: [],
  mode: mode as "append",
  clock: {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: async (ms: number) => realSleep(Math.min(ms, 50)),
    after: () => () => undefined,
  },
  random: () => Math.random(),
  emit: () => undefined,
  toolVersion: "0.0.0-test",
};

async function opened(made: Loader): Promise<void> {
  const startedAt = iso(Date.now());
  await made.open({ runId: "run", startedAt, state: EMPTY_STATE }, new AbortController().signal);
  const column = (name: string, type: "integer" | "string") => ({
    name,
    type,
    nullable: true,
    description: "",
  });
  await made.declare({
    name: "numbers",
    description: "",
    columns: [column("n", "integer"), column("text", "string")],
    primaryKey: ["n"],
    cursor: null,
    whole: true,
  });
}

/** Rows that say where the stream stands after them. */
function numbers(rows: readonly Row[], last: number | null): RecordBatch {
  const cursor = last === null ? null : iso(last * 1000);
  return {
    stream: "numbers",
    rows,
    rejects: [],
    extractedAt: iso(0),
    observedAt: null,
    checkpoint:
      cursor === null ? null : { stream: "numbers", bookmark: { completedAt: null, cursor } },
  };
}

/** Three people as a version of them says: who they are stays, what is said of them does not. */
function version(n: number): RecordBatch {
  const people = [1, 2, 3].map((id) => ({ n: id, text: String(n) }));
  return { ...numbers(people, n), extractedAt: iso(n * 1000) };
}

/** Text that no compression makes much shorter. */
function noise(length: number): string {
  let text = "";
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text;
}

async function connected(
  access: "READ_ONLY" | "READ_WRITE",
): Promise<Disposable & { count(): Promise<number> }> {
  const instance = await DuckDBInstance.create(path, { access_mode: access });
  const connection = await instance.connect();
  return {
    count: async () => {
      const reader = await connection.runAndReadAll(
        "SELECT count(*)::INT AS n FROM knowbe4.people",
      );
      return Number(reader.getRowObjects()[0]?.["n"]);
    },
    [Symbol.dispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

const COMMANDS: Readonly<Record<string, () => Promise<void>>> = {
  /** Has the database open. */
  hold: async () => {
    using _database = await connected("READ_WRITE");
    say("ready");
    await told();
  },

  /** Has it open for reading. */
  read: async () => {
    using _database = await connected("READ_ONLY");
    say("ready");
    await told();
  },

  /** Looks at a table again and again, as a dashboard does. */
  watch: async () => {
    const over = new AbortController();
    void told().then(() => over.abort());
    say("ready");
    while (!over.signal.aborted) {
      try {
        using database = await connected("READ_ONLY");
        say(await database.count());
      } catch {
        // Taken by the test's commit.
      }
      await nextTurn();
    }
  },

  /** Has the spool. */
  spool: async () => {
    await using made = loader();
    await made.prepare();
    say("ready");
    await told();
  },

  /**
   * Counts on from where the state stands, a commit for every three numbers, until it is killed. Says
   * after each how far it has come.
   */
  count: async () => {
    await using made = loader();
    await made.prepare();
    const { cursor } = (await made.readState()).bookmarks["numbers"] ?? {};
    await opened(made);
    for (let n = cursor == null ? 0 : Date.parse(cursor) / 1000, done = 0; ; n += 3, done += 1) {
      await made.write(numbers([{ ...numbered(n + 1) }], null));
      if (point === "spooling" && done >= Number(commits)) {
        say(point);
        await told();
      }
      await made.write(numbers([{ ...numbered(n + 2) }, { ...numbered(n + 3) }], n + 3));
      const [covered] = await made.flush();
      if (covered !== undefined) say(n + 3);
    }
  },

  /**
   * Changes the same three rows again and again, a commit each time, from the version at which the state
   * stands, until it is killed. Says after each which version it was.
   */
  revise: async () => {
    await using made = loader();
    await made.prepare();
    const { cursor } = (await made.readState()).bookmarks["numbers"] ?? {};
    await opened(made);
    for (let n = cursor == null ? 1 : Date.parse(cursor) / 1000 + 1; ; n += 1) {
      await made.write(version(n));
      const [covered] = await made.flush();
      if (covered !== undefined) say(n);
    }
  },

  /** Writes until the disk is full: rows into the spool only, or commits too. */
  fill: async () => {
    const hasCommits = how === "commits";
    await using made = loader();
    let n = 0;
    try {
      await opened(made);
      for (;;) {
        const rows = [{ n: (n += 1), text: noise(400_000) }];
        const last = n === 1 || hasCommits ? n : null;
        const covered = await made.write(numbers(rows, last));
        if (covered.length > 0 || !hasCommits) continue;
        if ((await made.flush()).length > 0) say(n);
      }
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error;
      await made[Symbol.asyncDispose]();
      const { kind, message, hint } = error;
      const left = (await readdir(`${path}.spool`)).filter((name) => /^[0-9a-z]{19}$/.test(name));
      say({ kind, message, hint, left: left.length });
    }
  },

  /** Tries to load, and says what comes of it. */
  load: async () => {
    await using made = loader();
    try {
      await opened(made);
      await made.write(numbers([{ n: 1, text: "" }], 1));
      say(await made.flush());
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error;
      say({ kind: error.kind, message: error.message, hint: error.hint });
    }
  },
};

await COMMANDS[command]?.();
