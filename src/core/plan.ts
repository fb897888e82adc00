import { columnsOf, type Column } from "./columns.js";
import { ConnectorError } from "./errors.js";
import type { Bookmark, State } from "./state.js";
import { neededBy, type StreamDef } from "./stream.js";
import { nearest } from "./suggest.js";

/** What a user chose of one stream, however the protocol spells it. */
export interface Selection {
  readonly stream: string;
  /** Fields not to hand on, dots into nested objects: `comment`, `user.email`. */
  readonly deselected: ReadonlySet<string>;
  /** Read the whole stream, whatever its bookmark says. */
  readonly fullRefresh: boolean;
}

/** One stream of a plan: the declaration plus what the selection and the state decided about it. */
export interface PlannedStream {
  readonly def: StreamDef;
  /** Selected columns, nested members pruned; `_extra` and `_observed_at` last. */
  readonly columns: readonly Column[];
  /** False for a stream that is read only because a selected one needs its rows. */
  readonly emit: boolean;
  /** Where an earlier run got to; null to read everything. */
  readonly bookmark: Bookmark | null;
  /** Take rows from another stream where they can be proved; false to ask the endpoint always. */
  readonly derived: boolean;
  /** Where the parents come from: their own listing, or what an earlier run left in the bookmark. */
  readonly parents: "listing" | "bookmark";
}

/** How a plan is to be made. */
export interface PlanOptions {
  /** Streams that must be read from their own endpoint although they could be derived. */
  readonly endpointOnly: ReadonlySet<string>;
  /** Streams to read before all others, in this order. */
  readonly first?: readonly string[];
}

/** What one run will do, decided before the first request. Parents come before their children. */
export interface SyncPlan {
  readonly streams: readonly PlannedStream[];
  /** State the run starts from. Bookmarks of streams that are not planned are kept untouched. */
  readonly state: State;
}

/** Fields that are handed on whatever the user deselects: keys, cursors and our own two. */
export function automaticFields(def: StreamDef): ReadonlySet<string> {
  const cursor =
    def.replication.mode === "incremental" && def.replication.by === "cursor"
      ? [def.replication.cursor]
      : [];
  return new Set([...def.primaryKey, ...cursor, "_observed_at"]);
}

/** Streams whose rows must be read before those of `def`, which may be derived. */
export function needs(def: StreamDef, derived: boolean): readonly StreamDef[] {
  const { derive: _, ...direct } = def;
  return neededBy(derived ? def : direct);
}

/**
 * Decides which streams are read, in which order and from where.
 *
 * Those that `first` names come first, then the others by their declared priority and the order of
 * the registry; parents are moved before their children. The order of the selection has no part in it.
 *
 * @throws ConnectorError `config` for a stream that does not exist.
 */
export function makePlan(
  registry: readonly StreamDef[],
  selections: readonly Selection[],
  state: State,
  options: PlanOptions = { endpointOnly: new Set() },
): SyncPlan {
  const chosen = new Map(selections.map((s) => [s.stream, s]));
  const names = registry.map((def) => def.name);
  const { endpointOnly, first = [] } = options;
  for (const name of [...chosen.keys(), ...first]) {
    if (!names.includes(name)) throw unknownStream(name, names);
  }
  const bookmarkOf = (def: StreamDef): Bookmark | null => {
    const selection = chosen.get(def.name);
    if (selection === undefined || selection.fullRefresh) return null;
    return state.bookmarks[def.name] ?? null;
  };
  const wanted: StreamDef[] = [];
  const add = (def: StreamDef): void => {
    if (wanted.includes(def)) return;
    for (const needed of needs(def, !endpointOnly.has(def.name))) {
      if (needed !== def.parent?.stream || !remembersParents(def, bookmarkOf(def))) add(needed);
    }
    wanted.push(def);
  };
  for (const def of inOrder(registry, first)) if (chosen.has(def.name)) add(def);
  const streams = wanted.map((def): PlannedStream => {
    const selection = chosen.get(def.name);
    const isListed = def.parent === undefined || wanted.includes(def.parent.stream);
    return {
      def,
      columns: prune(columnsOf(def), selection?.deselected ?? new Set(), automaticFields(def)),
      emit: selection !== undefined,
      bookmark: bookmarkOf(def),
      derived: def.derive !== undefined && !endpointOnly.has(def.name),
      parents: isListed ? "listing" : "bookmark",
    };
  });
  return { streams, state };
}

/** Small and incremental streams first: what a spent quota leaves over is the long tail. */
function inOrder(registry: readonly StreamDef[], first: readonly string[]): readonly StreamDef[] {
  const rank = ({ name, priority = 0 }: StreamDef): number => {
    const at = first.indexOf(name);
    return at === -1 ? first.length + priority : at;
  };
  return registry.toSorted((a, b) => rank(a) - rank(b));
}

/** Whether the bookmark says which parents are still to be read, by nothing but an id each. */
function remembersParents(def: StreamDef, bookmark: Bookmark | null): boolean {
  const by = def.replication;
  return (
    by.mode === "incremental" &&
    by.by === "cursor" &&
    bookmark?.pass != null &&
    Object.keys(def.parent?.bind ?? {}).length === 1
  );
}

/** One line for a stream name that is not in the registry. */
export function unknownStream(name: string, names: readonly string[]): ConnectorError {
  const near = nearest(name, names);
  return new ConnectorError("config", `unknown stream "${name}"`, {
    hint: near === undefined ? `streams are: ${names.join(", ")}` : `did you mean "${near}"?`,
  });
}

/** Leaves out deselected columns and members; automatic ones stay. */
export function prune(
  columns: readonly Column[],
  deselected: ReadonlySet<string>,
  automatic: ReadonlySet<string>,
  prefix = "",
): readonly Column[] {
  const kept: Column[] = [];
  for (const column of columns) {
    const path = prefix + column.name;
    if (deselected.has(path) && !automatic.has(path)) continue;
    const members = column.members && prune(column.members, deselected, automatic, `${path}.`);
    kept.push(members === undefined ? column : { ...column, members });
  }
  return kept;
}
