import { ConnectorError } from "../core/errors.js";
import type { ColumnType } from "../core/fields.js";
import type { Dialect, Statement } from "./dialect.js";
import {
  currentOf,
  DELETED_AT,
  isAlwaysSet,
  META,
  metaOf,
  VALIDITY,
  wider,
  type Table,
  type TableColumn,
} from "./table.js";
import type { Answer } from "./warehouse.js";

/** A table as it stands in the warehouse. Names of columns in lower case. */
export interface Standing {
  readonly kind: string;
  readonly columns: ReadonlyMap<
    string,
    { readonly name: string; readonly type: string; readonly required: boolean }
  >;
}

/** Every table of the schema, by its name in lower case. */
export type Schema = ReadonlyMap<string, Standing>;

/** What {@link Dialect.describe} answered. */
export function schemaOf(answers: readonly Answer[]): Schema {
  const schema = new Map<
    string,
    { kind: string; columns: Map<string, { name: string; type: string; required: boolean }> }
  >();
  for (const answer of answers) {
    const relation = String(answer["relation"]).toLowerCase();
    const standing = schema.get(relation) ?? { kind: String(answer["kind"]), columns: new Map() };
    schema.set(relation, standing);
    const { name, type, required } = answer;
    if (typeof name !== "string") continue;
    standing.columns.set(name.toLowerCase(), {
      name,
      type: String(type),
      required: required === true,
    });
  }
  return schema;
}

/** How a table becomes able to hold a stream. */
export interface Evolution {
  /** The stream's table with the types that rows must be staged with. */
  readonly table: Table;
  readonly statements: readonly Statement[];
  /** The loader's own columns that an earlier version did not have: to be added before all else. */
  readonly own: readonly Statement[];
  /** Whether rows that are there lack columns now. */
  readonly isWider: boolean;
  /** Whether the table is made now. */
  readonly isNew: boolean;
}

/**
 * Makes or changes a table for a stream: missing columns are added, narrow ones widened, nothing
 * is ever removed or narrowed.
 *
 * @throws ConnectorError `destination` for a table that somebody changed so that rows do not fit.
 */
export function evolve(dialect: Dialect, table: Table, schema: Schema): Evolution {
  const standing = schema.get(table.name.toLowerCase());
  if (standing === undefined) {
    const statements = [...dialect.createTable(table), ...viewOf(dialect, table, schema)];
    return { table, statements, own: [], isWider: false, isNew: true };
  }
  if (standing.kind !== "table") {
    throw refused(
      `${table.name}: a view stands where the table should be`,
      table.name,
      "rename the view; the next run makes the table",
    );
  }
  refuseOtherMode(table, schema);
  const statements: Statement[] = [];
  let isWider = false;
  const columns = table.columns.map((column): TableColumn => {
    let found = standing.columns.get(column.name.toLowerCase());
    const spare = dialect.spare?.name(column.name).toLowerCase() ?? "";
    if (found === undefined && standing.columns.has(spare)) {
      // An earlier run ended between taking out the narrow column and renaming the wide one.
      statements.push(...(dialect.spare?.take(table.name, column.name) ?? []));
      found = standing.columns.get(spare);
    }
    if (found === undefined) {
      statements.push(...dialect.addColumn(table.name, column));
      isWider = true;
      return column;
    }
    const now = ourType(dialect, table.name, found);
    const type = wider(now, column.type);
    if (type !== now) statements.push(...dialect.widenColumn(table.name, column.name, now, type));
    return { ...column, type };
  });
  const own = requireMeta(dialect, table, standing);
  refuseRequired(table, standing);
  const evolved = { ...table, columns };
  statements.push(...viewOf(dialect, evolved, schema));
  return { table: evolved, statements, own, isWider, isNew: false };
}

/**
 * A table keeps history from its first load on or not at all: rows of the other kind have no
 * validity, or would take part in it without one.
 *
 * @throws ConnectorError `destination`.
 */
export function refuseOtherMode({ name, hasHistory }: Table, schema: Schema): void {
  const standing = schema.get(name.toLowerCase());
  if (standing?.kind !== "table") return;
  const isHistory = standing.columns.has(VALIDITY[0].name);
  if (isHistory === (hasHistory === true)) return;
  throw refused(
    isHistory
      ? `${name}: the table keeps history, and this load would not`
      : `${name}: the table was made without history, and destination.mode is history`,
    name,
    isHistory
      ? "set destination.mode to history, or load into another place"
      : "load into another place, where everything is read again; or rename the table and run again with --full-refresh",
  );
}

/**
 * A table that was appended to may have a row several times, and merging would neither tell nor end it.
 *
 * @throws ConnectorError `destination`.
 */
export function refuseRepeats({ name, primaryKey }: Table, appended: ReadonlySet<string>): void {
  if (primaryKey.length === 0 || !appended.has(name.toLowerCase())) return;
  throw refused(
    `${name}: the table was loaded in mode append and may have a row several times, so that rows cannot be merged into it`,
    name,
    "set destination.mode to append or replace, load into another place, or rename the table and run again with --full-refresh",
  );
}

/** Makes the view of a table that keeps history, unless it stands there and has the same columns. */
function viewOf(dialect: Dialect, table: Table, schema: Schema): readonly Statement[] {
  if (table.hasHistory !== true) return [];
  const name = currentOf(table.name);
  const view = schema.get(name.toLowerCase());
  const ours = [...META.filter((c) => c !== DELETED_AT), VALIDITY[0]];
  if (view !== undefined && (view.kind === "table" || !view.columns.has(VALIDITY[0].name))) {
    throw refused(
      `${table.name}: ${view.kind === "table" ? "a table" : "another view"} stands where its view ${name} should be`,
      table.name,
      `rename ${name}; the next run makes the view`,
    );
  }
  const isSame = [...table.columns, ...ours].every((column) => {
    const found = view?.columns.get(column.name.toLowerCase());
    return found !== undefined && dialect.typeOf(found.type) === column.type;
  });
  if (isSame) return [];
  const held = schema.get(table.name.toLowerCase())?.columns;
  // Columns that are not selected any more stay, as they do in the table.
  const kept = [...(view?.columns ?? [])]
    .filter(([key]) => held?.has(key) === true && !ours.some((c) => c.name === key))
    .map(([, column]) => column.name);
  const isKept = new Set(kept.map((column) => column.toLowerCase()));
  const more = [...table.columns, ...ours].map((c) => c.name);
  return dialect.history.makeView(table, [
    ...kept,
    ...more.filter((column) => !isKept.has(column.toLowerCase())),
  ]);
}

function ourType(
  dialect: Dialect,
  table: string,
  column: { readonly name: string; readonly type: string },
): ColumnType {
  const type = dialect.typeOf(column.type);
  if (type !== undefined) return type;
  throw refused(
    `${table}.${column.name}: its type was changed to ${column.type}`,
    table,
    "change it back, or rename the table and run again with --full-refresh",
  );
}

/** What adds the column that tables of earlier versions lack; the others must be there. */
function requireMeta(dialect: Dialect, wanted: Table, { columns }: Standing): readonly Statement[] {
  const table = wanted.name;
  for (const { name, type } of metaOf(wanted)) {
    const found = columns.get(name);
    if (found !== undefined && dialect.typeOf(found.type) === type) continue;
    if (found === undefined && name === DELETED_AT.name) continue;
    throw refused(
      found === undefined
        ? `${table}: the loader's column ${name} is missing`
        : `${table}.${name}: its type was changed to ${found.type}`,
      table,
      `${table} was changed, or is another program's: rename it and run again with --full-refresh`,
    );
  }
  return columns.has(DELETED_AT.name) ? [] : dialect.addColumn(table, DELETED_AT);
}

/** A column of somebody's own is left alone, but must not stand in the way. */
function refuseRequired(table: Table, { columns }: Standing): void {
  const ours = new Set(
    [
      ...table.primaryKey,
      ...metaOf(table)
        .filter((c) => isAlwaysSet(table, c))
        .map((c) => c.name),
    ].map((n) => n.toLowerCase()),
  );
  for (const [key, { name, required }] of columns) {
    if (!required || ours.has(key)) continue;
    throw refused(
      `${table.name}.${name}: it was made NOT NULL without a default`,
      table.name,
      "drop the constraint or give the column a default",
    );
  }
}

function refused(message: string, table: string, hint: string): ConnectorError {
  return new ConnectorError("destination", message, { hint, context: { table } });
}
