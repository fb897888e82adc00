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
    ignored: [...repeated, ...repeatedAliases],
  };
}

/** Stands in a reject for what cannot be written without the risk that nobody can read it. */
const TOO_DEEP = "nested too deeply";

interface Reader {
  readonly name: string;
  readonly read: (item: JsonObject) => unknown;
  readonly convert: Convert;
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
    const row: Record<string, Json> = {};
    for (const reader of readers) {
      const value = bound[reader.name] ?? reader.read(item) ?? null;
      const converted = value === null ? null : reader.convert(value);
      if (converted !== undefined && !(reader.isKey && (converted === null || converted === ""))) {
        row[reader.name] = converted;
      } else if (reader.isDate && !reader.isKey) {
        drift(reader.name);
        extra.push([reader.name, kept(value)]);
        row[reader.name] = null;
      } else {
        into.rejects.push({ reason: reasonOf(shape, reader, converted), raw: rawOf(item) });
        return;
      }
    }
    for (const [path, values] of lost) {
      drift(path);
      extra.push([path, values]);
    }
    for (const key in item) {
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
    if (keepExtra) row[EXTRA.name] = extra.length === 0 ? null : Object.fromEntries(extra);
    into.rows.push(row);
  };
}

function readerOf(column: Column, shape: RowShape, lost: Lost): Reader {
  const whole = shape.declared.find((c) => c.name === column.name) ?? column;
  return {
    name: column.name,
    read: accessor(column.name, shape.aliases[column.name] ?? []),
    convert: converter(column, whole, lost),
    isDate: column.type === "date" || column.type === "timestamp",
    isKey: shape.primaryKey.includes(column.name),
  };
}

/** Reads a field under its own name, or where else it has been seen. Never invents a value. */
function accessor(name: string, aliases: readonly string[]): (item: JsonObject) => unknown {
  if (aliases.length === 0) return (item) => item[name];
  const paths = aliases.map((alias) => alias.split("."));
  return (item) => {
    let value: unknown = item[name];
    for (const path of paths) {
      if (value !== undefined && value !== null) return value;
      value = path.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), item);
    }
    return value;
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
