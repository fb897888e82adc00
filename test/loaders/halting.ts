import { randomUUID } from "node:crypto";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import type { Statement } from "../../src/loaders/dialect.js";
import type { Session, Warehouse } from "../../src/loaders/warehouse.js";

/** Where a process is when it is killed. The first is none of the warehouse's: rows are being spooled. */
export const POINTS = [
  "spooling",
  "sealed",
  "staging",
  "staged",
  "in the transaction, after the fence",
  "in the transaction, with the state and without the rows",
  "in the transaction, with all of it",
  "committing",
  "committed and not told",
] as const;

/** One of {@link POINTS}. */
export type Point = (typeof POINTS)[number];

/** Never ends by itself, and holds the transaction that it is in. */
const ENDLESS = "SELECT count(*) FROM range(1000000000000) AS a, range(1000) AS b";

/**
 * A DuckDB file at which the process comes to a point, says so, and goes no further: whatever is
 * left then is what a kill at this point leaves. Every commit before the last of `commits` passes.
 */
export function halting(
  real: Warehouse,
  halt: {
    readonly point: string;
    readonly commits: number;
    readonly say: (value: unknown) => void;
    /** For a file that shows how far the transaction has come. */
    readonly folder: string;
  },
): Warehouse {
  const { point, commits, say, folder } = halt;
  let opened = 0;
  let seen = 0;
  const stop = async (): Promise<never> => {
    say(point);
    return await new Promise<never>(() => {
      // Until it is killed.
    });
  };
  const isHere = (here: Point): boolean => point === here && seen >= commits;
  const stopping = (session: Session): Session => ({
    query: (purpose, sql) => session.query(purpose, sql),
    run: (statements) => session.run(statements),
    stage: async (table, file, loadId) => {
      const staging = session.stage(table, file, loadId);
      if (isHere("staging")) await stop();
      const staged = await staging;
      if (isHere("staged")) await stop();
      return staged;
    },
    transact: async (statements, loadId) => {
      const marker = join(folder, `reached-${randomUUID()}`);
      const held: Statement[] = [
        { purpose: "telling", sql: `COPY (SELECT 1) TO '${marker}' (FORMAT csv)` },
        { purpose: "going no further", sql: ENDLESS },
      ];
      const within = async (done: number): Promise<void> => {
        const [first, then] = [statements.slice(0, done), statements.slice(done)];
        void session.transact([...first, ...held, ...then], loadId);
        while (!(await isThere(marker))) await pause(2);
        await stop();
      };
      if (isHere("in the transaction, after the fence")) await within(1);
      // The last two are the rows and the record of the load.
      if (isHere("in the transaction, with the state and without the rows")) {
        await within(statements.length - 2);
      }
      if (isHere("in the transaction, with all of it")) await within(statements.length);
      const committing = session.transact(statements, loadId);
      if (isHere("committing")) await stop();
      await committing;
      if (isHere("committed and not told")) await stop();
      seen += 1;
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  });
  return {
    ...real,
    open: async (access) => {
      // The first is where tables are made and the state is read, before there is a load.
      if (access === "write") opened += 1;
      if (access === "write" && opened > 1 && isHere("sealed")) await stop();
      return stopping(await real.open(access));
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
