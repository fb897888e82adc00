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
}

/** How a plan is to be made. */
export interface PlanOptions {
  /** Streams that must be read from their own endpoint although they could be derived. */
  readonly endpointOnly: ReadonlySet<string>;
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
 * The order is that of the registry with parents moved before their children, so it does not
 * depend on the order of the selection.
 *
 * @throws ConnectorError `config` for a selected stream that does not exist.
 */
export function makePlan(
  registry: readonly StreamDef[],
  selections: readonly Selection[],
  state: State,
  options: PlanOptions = { endpointOnly: new Set() },
): SyncPlan {
  const chosen = new Map(selections.map((s) => [s.stream, s]));
  const names = registry.map((def) => def.name);
  for (const name of chosen.keys()) {
    if (!names.includes(name)) throw unknownStream(name, names);
  }
  const wanted: StreamDef[] = [];
  const add = (def: StreamDef): void => {
    if (wanted.includes(def)) return;
    for (const parent of needs(def, !options.endpointOnly.has(def.name))) add(parent);
    wanted.push(def);
  };
  for (const def of registry) if (chosen.has(def.name)) add(def);
  const streams = wanted.map((def): PlannedStream => {
    const selection = chosen.get(def.name);
    const bookmark = selection?.fullRefresh === true ? undefined : state.bookmarks[def.name];
    return {
      def,
      columns: prune(columnsOf(def), selection?.deselected ?? new Set(), automaticFields(def)),
      emit: selection !== undefined,
      bookmark: selection === undefined ? null : (bookmark ?? null),
      derived: def.derive !== undefined && !options.endpointOnly.has(def.name),
    };
  });
  return { streams, state };
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
