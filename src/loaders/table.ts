import { OBSERVED_AT, type Column } from "../core/columns.js";
import { ConnectorError } from "../core/errors.js";
import type { ColumnType } from "../core/fields.js";
import type { SinkStream } from "../core/ports.js";

/**
 * How rows reach their table: newest version of each, every version, the whole table swapped, or
 * every version with the time in which it held.
 */
export type Mode = "merge" | "append" | "replace" | "history";

/** A column of a table, whoever put it there. */
export type TableColumn = Pick<Column, "name" | "type" | "description">;

/** A table as a stream wants it. */
export interface Table {
  readonly name: string;
  readonly description: string;
  /** The stream's own columns, without {@link META}. */
  readonly columns: readonly TableColumn[];
  /** Empty for streams of other taps that have no key: their rows are appended. */
  readonly primaryKey: readonly string[];
  /** Column by whose months a warehouse may keep rows apart, see `StreamDef.partition`. */
  readonly partition?: string;
  /** Set if it keeps versions of its rows: it has {@link VALIDITY} and a view of those that hold now. */
  readonly hasHistory?: true;
}

/** Prefix of what belongs to the loader: its tables, and its columns in every table. */
const OURS = "_kb4_";

/** Columns that the loader adds to every table. */
export const META = [
  {
    name: `${OURS}load_id`,
    type: "string",
    description: "Load that wrote this version of the row; see _kb4_loads.",
  },
  {
    name: `${OURS}extracted_at`,
    type: "timestamp",
    description: "When this version of the row arrived from the source, UTC.",
  },
  {
    name: `${OURS}row_hash`,
    type: "string",
    description: "Digest of the row without _observed_at: rows with the same one are left alone.",
  },
  {
    name: `${OURS}deleted_at`,
    type: "timestamp",
    description:
      "Start of the run that read this row's whole scope and did not find the row, UTC; null for one that is there.",
  },
] as const satisfies readonly TableColumn[];

/** Column that says that a row is not at the source any more. */
export const DELETED_AT = META[3];

/** Those of {@link META} that every row has from its first version on. */
export const WRITTEN = META.slice(0, 3) as readonly TableColumn[];

/** Columns that the loader adds to a table that keeps history: from when until when a version held. */
export const VALIDITY = [
  {
    name: `${OURS}valid_from`,
    type: "timestamp",
    description: "When this version of the row was first observed, UTC.",
  },
  {
    name: `${OURS}valid_to`,
    type: "timestamp",
    description:
      "When a later version was observed, or the row was found to be gone, UTC: from then on this version does not hold; null for the one that holds now.",
  },
] as const satisfies readonly TableColumn[];

/** All columns of the loader's own in a table. */
export function metaOf({ hasHistory }: Table): readonly TableColumn[] {
  return hasHistory === true ? [...META, ...VALIDITY] : META;
}

/** The view of a table that keeps history: the versions that hold now. */
export function currentOf(table: string): string {
  return `${table}_current`;
}

/** Whether a column of a table is never null. */
export function isAlwaysSet({ primaryKey }: Table, column: TableColumn): boolean {
  return (
    primaryKey.includes(column.name) ||
    [...WRITTEN, VALIDITY[0]].some((c) => c.name === column.name)
  );
}

/** Stands in spooled lines only: which of two versions of a row is the later one. */
export const SEQUENCE: TableColumn = {
  name: `${OURS}seq`,
  type: "integer",
  description: "Position within the load.",
};

/**
 * The table of a stream.
 *
 * @throws ConnectorError `config` for names that no warehouse could keep apart, or that are ours.
 */
export function tableOf(stream: SinkStream): Table {
  const { name, description, columns, primaryKey, partition } = stream;
  refuseName(name, `stream "${name}"`);
  const seen = new Map<string, string>();
  for (const column of columns) {
    refuseName(column.name, `${name}.${column.name}`);
    const twin = seen.get(column.name.toLowerCase());
    if (twin !== undefined) {
      throw new ConnectorError(
        "config",
        `${name}: columns ${twin} and ${column.name} differ only in case`,
        { hint: "deselect one of them", context: { stream: name } },
      );
    }
    seen.set(column.name.toLowerCase(), column.name);
  }
  return {
    name,
    description: printable(description),
    columns: columns.map(({ name: column, type, description: text }) => ({
      name: column,
      type,
      description: printable(text),
    })),
    primaryKey,
    ...(partition === undefined ? {} : { partition }),
  };
}

function refuseName(name: string, where: string): void {
  const hint = "rename or deselect it at the source";
  if (name.toLowerCase().startsWith(OURS)) {
    const what = `names that start with ${OURS} are the loader's`;
    throw new ConnectorError("config", `${where}: ${what}`, { hint });
  }
  // SQL ends at a NUL, and half a surrogate pair is no text.
  if (name === "" || name.includes("\0") || !name.isWellFormed()) {
    throw new ConnectorError("config", `${printable(where)}: not a name that a table can have`, {
      hint,
    });
  }
}

/** Text that may stand in SQL. */
function printable(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

/** Both sets of columns under one name each, each wide enough for both. */
export function joined(a: Table, b: Table): Table {
  const columns = new Map(a.columns.map((c) => [c.name, c]));
  for (const column of b.columns) {
    const known = columns.get(column.name);
    columns.set(
      column.name,
      known === undefined ? column : { ...column, type: wider(known.type, column.type) },
    );
  }
  // `_observed_at` stays last.
  const all = [...columns.values()];
  const ordered = all.filter((c) => c.name !== OBSERVED_AT.name);
  const observed = all.filter((c) => c.name === OBSERVED_AT.name);
  return { ...b, columns: [...ordered, ...observed] };
}

/** Types that hold every value of a type, narrowest first. Text holds anything. */
const WIDER: Readonly<Record<ColumnType, readonly ColumnType[]>> = {
  string: ["string"],
  integer: ["integer", "number", "string"],
  number: ["number", "string"],
  boolean: ["boolean", "string"],
  date: ["date", "timestamp", "string"],
  timestamp: ["timestamp", "string"],
  json: ["json", "string"],
};

/** The narrowest type that holds the values of both. Never narrower than either. */
export function wider(a: ColumnType, b: ColumnType): ColumnType {
  return WIDER[a].find((type) => WIDER[b].includes(type)) ?? "string";
}
