import { columnsOf, EXTRA, OBSERVED_AT, type Column } from "./columns.js";
import { converter, salvage, wellFormed, type Convert, type Lost } from "./convert.js";
import { isObject, stringify, type Json, type JsonObject } from "./json.js";
import type { Reject, Row } from "./record.js";
import type { StreamDef } from "./stream.js";

/** Where the rows of a page go, and what was noticed about them. */
export interface Normalised {
  readonly rows: Row[];
  readonly rejects: Reject[];
}

/** What a normaliser is made for. */
export interface RowShape {
  /** For messages. */
  readonly name: string;
  /** Columns of the row, in order. */
  readonly columns: readonly Column[];
  /** All that is declared: what is in here but not in `columns` is left out, not extra. */
  readonly declared: readonly Column[];
  readonly primaryKey: readonly string[];
  readonly aliases: Readonly<Record<string, readonly string[]>>;
  /** Columns whose value comes from the parent, if the parent has one. */
  readonly bound: readonly string[];
  /** Fields that are neither declared here nor worth keeping. */
  readonly ignored: readonly string[];
}

/** Values that every row below a parent gets, by column. */
export type Bound = Readonly<Record<string, Json>>;

/**
 * Turns an item of the API into a row of the stream, or into a reject.
 *
 * Absent is null. Declared aliases are read, unknown fields are kept under `_extra`, dates that
 * are not dates are kept there too and stand as null in their place; any other value that does
 * not fit its column rejects the row.
 */
export type Normalise = (item: unknown, bound: Bound, into: Normalised) => void;

/** The shape of a stream's rows with the columns that a plan selected. */
export function rowShape(def: StreamDef, columns: readonly Column[]): RowShape {
  const repeated = def.repeats === undefined ? [] : columnsOf(def.repeats).map((c) => c.name);
  const repeatedAliases = Object.values(def.repeats?.aliases ?? {}).flat();
  return {
    name: def.name,
    columns,
    declared: columnsOf(def),
    primaryKey: def.primaryKey,
    aliases: def.aliases ?? {},
    bound: Object.keys(def.parent?.bind ?? {}),
    ignored: [...repeated, ...repeatedAliases],
  };
}

/** Stands in a reject for what cannot be written without the risk that nobody can read it. */
const TOO_DEEP = "nested too deeply";

type Read = (item: JsonObject) => unknown;

interface Reader {
  readonly name: string;
  /** Where else the field has been seen; null for nowhere. */
  readonly elsewhere: Read | null;
  readonly convert: Convert;
  readonly isBound: boolean;
  readonly isDate: boolean;
  readonly isKey: boolean;
}

/**
 * Compiles a normaliser.
 *
 * @param drift called with the name of each undeclared field or unreadable date, every time.
 */
export function normaliser(shape: RowShape, drift: (field: string) => void): Normalise {
  const isOurs = (c: Column) => c.name === EXTRA.name || c.name === OBSERVED_AT.name;
  const lost = new Map<string, Json[]>();
  const lose: Lost = (path, value) => {
    lost.set(path, [...(lost.get(path) ?? []), kept(value)]);
  };
  const readers = shape.columns
    .filter((c) => !isOurs(c))
    .map((column) => readerOf(column, shape, lose));
  const known = new Set([
    ...shape.declared.filter((c) => !isOurs(c)).map((c) => c.name),
    ...Object.values(shape.aliases).flatMap((paths) => paths.map((p) => p.split(".")[0] ?? p)),
    ...shape.ignored,
  ]);
  const keepExtra = shape.columns.some((c) => c.name === EXTRA.name);
  // Copied for every row: an object that has all its members from the start is half the work of one
  // that grows by them, and leaves a third of the garbage.
  const blank: Row = Object.fromEntries(
    shape.columns.filter((c) => c.name !== OBSERVED_AT.name).map((c) => [c.name, null]),
  );
  return (item, bound, into) => {
    if (!isObject(item)) {
      into.rejects.push({
        reason: `${shape.name}: the row is not an object`,
        raw: kept(item),
      });
      return;
    }
    lost.clear();
    const extra: [string, Json][] = [];
    const row = { ...blank };
    let seen = 0;
    for (const reader of readers) {
      const { name, elsewhere } = reader;
      const own = item[name];
      if (own !== undefined) seen += 1;
      const value = (reader.isBound ? bound[name] : null) ?? own ?? elsewhere?.(item) ?? null;
      const converted = value === null ? null : reader.convert(value);
      if (converted !== undefined && !(reader.isKey && (converted === null || converted === ""))) {
        if (converted !== null) row[name] = converted;
      } else if (reader.isDate && !reader.isKey) {
        drift(name);
        extra.push([name, kept(value)]);
      } else {
        into.rejects.push({ reason: reasonOf(shape, reader, converted), raw: rawOf(item) });
        return;
      }
    }
    for (const [path, values] of lost) {
      drift(path);
      extra.push([path, values]);
    }
    const keys = Object.keys(item);
    // As a rule every field is one of those just read, and there is nothing to look for.
    for (const key of keys.length === seen ? [] : keys) {
      if (known.has(key)) continue;
      const value = salvage(item[key]);
      if (value === undefined) {
        into.rejects.push({
          reason: `${shape.name}: ${wellFormed(key)} is ${TOO_DEEP}`,
          raw: rawOf(item),
        });
        return;
      }
      drift(key);
      extra.push([wellFormed(key), value]);
    }
    if (keepExtra && extra.length > 0) row[EXTRA.name] = Object.fromEntries(extra);
    into.rows.push(row);
  };
}

function readerOf(column: Column, shape: RowShape, lost: Lost): Reader {
  const whole = shape.declared.find((c) => c.name === column.name) ?? column;
  return {
    name: column.name,
    elsewhere: elsewhere(shape.aliases[column.name] ?? []),
    convert: converter(column, whole, lost),
    isBound: shape.bound.includes(column.name),
    isDate: column.type === "date" || column.type === "timestamp",
    isKey: shape.primaryKey.includes(column.name),
  };
}

/** Reads a field under its own name, or where else it has been seen. Never invents a value. */
function accessor(name: string, aliases: readonly string[]): Read {
  const other = elsewhere(aliases);
  return other === null ? (item) => item[name] : (item) => item[name] ?? other(item);
}

function elsewhere(aliases: readonly string[]): Read | null {
  if (aliases.length === 0) return null;
  const paths = aliases.map((alias) => alias.split("."));
  return (item) => {
    for (const path of paths) {
      let value: unknown = item;
      for (const key of path) value = isObject(value) ? value[key] : undefined;
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  };
}

/** Names the field and the rule, never the value: it may be a person's. */
function reasonOf(shape: RowShape, reader: Reader, converted: Json | undefined): string {
  const what =
    converted === undefined
      ? `is not ${describe(shape, reader.name)}`
      : "is empty, and identifies the row";
  return `${shape.name}: ${reader.name} ${what}`;
}

function describe(shape: RowShape, name: string): string {
  const column = shape.columns.find((c) => c.name === name);
  if (column === undefined) return "as declared";
  if (column.type === "json")
    return column.list === true ? "a list as declared" : "an object as declared";
  return {
    string: "text",
    integer: "a 64-bit integer",
    number: "a number",
    boolean: "a boolean",
    timestamp: "an instant",
    date: "a day",
  }[column.type];
}

/** A value as it came; null stays null. */
function kept(value: unknown): Json {
  const salvaged = salvage(value);
  return salvaged === undefined ? TOO_DEEP : salvaged;
}

/** The row as it came, as far as JSON can say it. */
function rawOf(item: unknown): Json {
  const whole = salvage(item);
  if (whole !== undefined) return whole;
  if (!isObject(item)) return TOO_DEEP;
  const members = Object.entries(item).map(([k, v]) => [wellFormed(k), kept(v)]);
  return Object.fromEntries(members) as Json;
}

/**
 * What identifies an item within one listing, from the raw item: its primary key without the
 * fields that the parent gives. An item without one is identified by all that is in it: two such
 * items are two rejects, not one item that came twice.
 */
export function itemKeyOf(def: StreamDef): (item: unknown) => string {
  const bound = new Set(Object.keys(def.parent?.bind ?? {}));
  const parts = def.primaryKey
    .filter((field) => !bound.has(field))
    .map((field) => accessor(field, def.aliases?.[field] ?? []));
  return (item) => {
    let key = "";
    for (const [index, part] of parts.entries()) {
      const value = isObject(item) ? part(item) : undefined;
      const isKey = typeof value === "number" || typeof value === "bigint";
      if (!isKey && (typeof value !== "string" || value === "")) {
        return `\u0000${stringify(rawOf(item))}`;
      }
      key += index === 0 ? String(value) : `\u0000${String(value)}`;
    }
    return key;
  };
}

/** Reads some fields of raw items, converted as declared; a field that does not fit is null. */
export function picker(
  def: StreamDef,
  fields: readonly string[],
): (item: unknown) => Readonly<Record<string, Json>> {
  const columns = columnsOf(def);
  const reads = fields.map((name) => {
    const column = columns.find((c) => c.name === name);
    if (column === undefined) throw new RangeError(`${def.name} has no field ${name}`);
    return { name, read: accessor(name, def.aliases?.[name] ?? []), convert: converter(column) };
  });
  return (item) => {
    const out: Record<string, Json> = {};
    for (const { name, read, convert } of reads) {
      const value = isObject(item) ? (read(item) ?? null) : null;
      out[name] = value === null ? null : (convert(value) ?? null);
    }
    return out;
  };
}
