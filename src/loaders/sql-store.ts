import { isObject } from "../core/json.js";
import { commitPackage, holdsProofs, isPrepared, prepareSchema, schemaIn } from "./commit.js";
import { refuseOtherMode, refuseRepeats, type Schema } from "./evolve.js";
import { erasePerson, findPerson, type ReadKept } from "./forget/warehouse.js";
import type { Counts, KeptState, Store } from "./store.js";
import { currentOf, DELETED_AT, VALIDITY } from "./table.js";
import type { Session, Warehouse } from "./warehouse.js";

/** A warehouse as a place for a loader: the same statements in the same order for all of them. */
export function sqlStore(warehouse: Warehouse): Store {
  const { dialect } = warehouse;
  /** Tables that have got columns in this run. */
  const widened = new Set<string>();
  const readKept: ReadKept = (session, pipeline) => keptIn(session, dialect.readState(pipeline));
  let prepared: Schema = new Map();
  /** Tables that may have a row several times, in lower case. */
  const appended = new Set<string>();
  return {
    name: dialect.name,
    place: warehouse.place,
    elsewhere: warehouse.elsewhere,
    ...(warehouse.estimate === undefined ? {} : { estimate: warehouse.estimate.bind(warehouse) }),
    exists: () => warehouse.exists(),
    check: () => warehouse.check(),
    prepare: async (pipeline) => {
      await using session = await warehouse.open("write");
      prepared = await prepareSchema(session, dialect);
      const found = await session.query("reading the state", dialect.pipelines());
      const kept = await keptIn(session, dialect.readState(pipeline));
      for (const { stream } of await session.query("reading how tables grew", dialect.appended())) {
        const name = String(stream).toLowerCase();
        if (prepared.has(name)) appended.add(name);
      }
      return { ...kept, pipelines: found.map((answer) => String(answer["pipeline"])) };
    },
    foresee: (table, mode) => {
      refuseOtherMode(table, prepared);
      if (mode === "merge") refuseRepeats(table, appended);
    },
    readState: async (pipeline) => {
      await using session = await warehouse.open("read");
      if (!isPrepared(await schemaIn(session, dialect))) return { version: 0, bookmarks: {} };
      return await keptIn(session, dialect.readState(pipeline));
    },
    readProofs: async (pipeline) => {
      await using session = await warehouse.open("read");
      if (!holdsProofs(await schemaIn(session, dialect))) return {};
      const found = await session.query("reading the proofs", dialect.readProofs(pipeline));
      return Object.fromEntries(found.map(({ stream, proof }) => [String(stream), parsed(proof)]));
    },
    countRows: async (asks) => {
      await using session = await warehouse.open("read");
      const schema = await schemaIn(session, dialect);
      const counts: (Counts | null)[] = [];
      for (const ask of asks) {
        // Of a table that keeps history those versions count that hold now.
        const hasVersions = schema.get(ask.table)?.columns.has(VALIDITY[1].name) === true;
        const table = hasVersions ? currentOf(ask.table) : ask.table;
        const columns = schema.get(table)?.columns;
        if (columns === undefined) {
          counts.push(null);
          continue;
        }
        const marks = columns.has(DELETED_AT.name) ? "marks" : "no marks";
        const sql = dialect.countRows({ ...ask, table }, marks);
        const found = await session.query(`counting rows of ${ask.table}`, sql);
        counts.push(new Map(found.map(({ part, n }) => [String(part), Number(n)])));
      }
      return counts;
    },
    commit: async (manifest, record, patiently, limits) => {
      const open = () => patiently(() => warehouse.open("write"));
      const options = { widened, ...limits };
      const refusals = await commitPackage(warehouse, open, manifest, record, options);
      // An earlier run's load, under other settings, comes before anything is foreseen.
      for (const { table, mode } of manifest.parts) {
        if (mode === "append") appended.add(table.name.toLowerCase());
        else appended.delete(table.name.toLowerCase());
      }
      return refusals;
    },
    find: async (forgetting) => {
      await using session = await warehouse.open("read");
      return await findPerson(session, dialect, forgetting, readKept);
    },
    forget: async (forgetting, record) => {
      const erase = async () => {
        await using session = await warehouse.open("write");
        return await erasePerson(session, dialect, forgetting, readKept, record);
      };
      const found = await erase();
      // An earlier try may have ended in between.
      await warehouse.purge?.();
      return found;
    },
  };
}

async function keptIn(session: Session, sql: string): Promise<KeptState> {
  const bookmarks: Record<string, unknown> = {};
  let kept = 0;
  for (const { stream, version, state } of await session.query("reading the state", sql)) {
    if (stream === "") kept = Number(version);
    else bookmarks[String(stream)] = parsed(state);
  }
  return { version: kept, bookmarks };
}

/** A driver gives JSON as text or as a value. */
function parsed(state: unknown): unknown {
  if (typeof state !== "string") return state;
  try {
    const value: unknown = JSON.parse(state);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
