import { isObject } from "../core/json.js";
import { commitPackage, holdsProofs, isPrepared, prepareSchema, schemaIn } from "./commit.js";
import { refuseOtherMode, type Schema } from "./evolve.js";
import type { KeptState, Store } from "./store.js";
import type { Session, Warehouse } from "./warehouse.js";

/** A warehouse as a place for a loader: the same statements in the same order for all of them. */
export function sqlStore(warehouse: Warehouse): Store {
  const { dialect } = warehouse;
  /** Tables that have got columns in this run. */
  const widened = new Set<string>();
  let prepared: Schema = new Map();
  return {
    name: dialect.name,
    place: warehouse.place,
    elsewhere: warehouse.elsewhere,
    exists: () => warehouse.exists(),
    check: () => warehouse.check(),
    prepare: async (pipeline) => {
      await using session = await warehouse.open("write");
      prepared = await prepareSchema(session, dialect);
      const found = await session.query("reading the state", dialect.pipelines());
      const kept = await keptIn(session, dialect.readState(pipeline));
      return { ...kept, pipelines: found.map((answer) => String(answer["pipeline"])) };
    },
    foresee: (table) => {
      refuseOtherMode(table, prepared);
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
    commit: (manifest, record, patiently, limits) =>
      commitPackage(warehouse, () => patiently(() => warehouse.open("write")), manifest, record, {
        widened,
        ...limits,
      }),
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
