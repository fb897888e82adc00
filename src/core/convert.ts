import type { Column } from "./columns.js";
import { isObject, type Json, type JsonObject } from "./json.js";

/**
 * Turns a value of the API into a value of a column; `undefined` says that it does not fit.
 * Coerces only where nothing is lost: numbers to text, digits to numbers, offsets to UTC.
 */
export type Convert = (value: unknown) => Json | undefined;

/**
 * Hears of dates within an object or a list that are not dates: they stand as null in their place.
 *
 * @param path names with dots between them: `jobs.start`.
 */
export type Lost = (path: string, value: unknown) => void;

/** The conversion of a column. Null and absent never reach it. */
export function converter(column: Column, whole = column, lost: Lost = () => undefined): Convert {
  if (column.type !== "json") return SCALARS[column.type];
  return jsonConverter(column, whole, column.name, lost);
}

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

const SCALARS: Readonly<Record<Exclude<Column["type"], "json">, Convert>> = {
  string: toText,
  integer: toInteger,
  number: toNumber,
  boolean: toBoolean,
  timestamp: toInstant,
  date: toDay,
};

function toText(value: unknown): string | undefined {
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  return typeof value === "bigint" || typeof value === "boolean" ? String(value) : undefined;
}

/** Half of a surrogate pair cannot be written as UTF-8; it becomes U+FFFD, as browsers do. */
export function wellFormed(value: string): string {
  return value.isWellFormed() ? value : value.toWellFormed();
}

function toInteger(value: unknown): number | bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? unsigned(value) : undefined;
  if (typeof value === "bigint") {
    if (value > INT64_MAX || value < INT64_MIN) return undefined;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) return toInteger(BigInt(value));
  return undefined;
}

/** Zero without a sign: JSON cannot say it, and equal rows must be the same bytes. */
function unsigned(value: number): number {
  return value === 0 ? 0 : value;
}

function toNumber(value: unknown): number | bigint | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? unsigned(value) : undefined;
  // Every destination has doubles, and an integer beyond them would fail a whole load.
  if (typeof value === "bigint") return Number.isFinite(Number(value)) ? value : undefined;
  if (typeof value === "string" && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value)) {
    return toNumber(Number(value));
  }
  return undefined;
}

function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === "true") return true;
  if (value === "false") return false;
  return undefined;
}

/** A day that needs no calendar: any but the 29th of February. */
const DAY =
  /[1-9]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)/;

/** What the API sends. */
const PLAIN_DAY = new RegExp(`^${DAY.source}$`);
const PLAIN_INSTANT = new RegExp(`^${DAY.source}T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z$`);

const ANY_INSTANT =
  /^([1-9]\d{3})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/i;

const PLAIN_YEAR = /^[1-9]\d{3}-/;

/** An instant without a zone is UTC: the API documents that all of its times are. */
function toInstant(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  if (PLAIN_INSTANT.test(value)) return value;
  const match = ANY_INSTANT.exec(value.trim());
  if (match === null) return undefined;
  const [, year = "", month = "", dayOfMonth = "", h = "00", m = "00", s = "00", fraction = ""] =
    match;
  const zone = (match[8] ?? "Z").toUpperCase();
  if (!isCalendarDay(year, month, dayOfMonth)) return undefined;
  const offset = zone === "Z" || zone.includes(":") ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  const ms = fraction.slice(0, 3).padEnd(3, "0");
  const at = Date.parse(`${year}-${month}-${dayOfMonth}T${h}:${m}:${s}.${ms}${offset}`);
  const text = Number.isNaN(at) ? "" : new Date(at).toISOString();
  // An offset may lead out of the years 1000 to 9999, the ones that every destination can store.
  return PLAIN_YEAR.test(text) ? text : undefined;
}

/** The day as it is written, whatever the zone: the API's days have none. */
function toDay(value: unknown): string | undefined {
  if (typeof value === "string" && PLAIN_DAY.test(value)) return value;
  return toInstant(value) === undefined ? undefined : String(value).trim().slice(0, 10);
}

/** `Date.parse` takes 30 February for 2 March, so the calendar is asked. */
function isCalendarDay(year: string, month: string, dayOfMonth: string): boolean {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(dayOfMonth)));
  return date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(dayOfMonth);
}

function jsonConverter(column: Column, whole: Column, path: string, lost: Lost): Convert {
  const item = itemConverter(column, whole, path, lost);
  if (column.list !== true) return item;
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    return every(column.shape === "flat" ? value.flat() : value, item);
  };
}

function itemConverter(column: Column, whole: Column, path: string, lost: Lost): Convert {
  if (column.shape === "ids") return toId;
  if (column.items !== undefined) return tolerant(column.items, path, lost);
  return whole.members === undefined ? clean : memberConverter(column, whole, path, lost);
}

/** A conversion within JSON: there a date that is none is null in its place, and said. */
function tolerant(type: keyof typeof SCALARS, path: string, lost: Lost): Convert {
  const convert = SCALARS[type];
  if (type !== "date" && type !== "timestamp") return convert;
  return (value) => {
    const converted = convert(value);
    if (converted === undefined) lost(path, value);
    return converted ?? null;
  };
}

/** Converts a list; gives back the list itself if nothing in it has to change, as is mostly so. */
function every(items: readonly unknown[], convert: Convert): Json | undefined {
  let out: Json[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const converted = item === null ? null : convert(item);
    if (converted === undefined) return undefined;
    if (converted !== item) out ??= (items as readonly Json[]).slice(0, i);
    out?.push(converted);
  }
  return out ?? (items as readonly Json[]);
}

/** A list of ids holds numbers, or objects when the API was asked to expand them. */
function toId(value: unknown): number | bigint | undefined {
  if (!isObject(value)) return toInteger(value);
  return toInteger(value["id"] ?? value["group_id"]);
}

/** Declared members are converted like columns, deselected ones left out, unknown ones kept. */
function memberConverter(column: Column, whole: Column, path: string, lost: Lost): Convert {
  const selected = new Map((column.members ?? []).map((m) => [m.name, m]));
  const rules = new Map<string, Convert | null>();
  for (const member of whole.members ?? []) {
    const kept = selected.get(member.name);
    const at = `${path}.${member.name}`;
    if (kept === undefined) rules.set(member.name, null);
    else if (kept.type === "json") {
      rules.set(member.name, jsonConverter(kept, member, at, lost));
    } else rules.set(member.name, tolerant(kept.type, at, lost));
  }
  return (value) => (isObject(value) ? withMembers(value, rules, clean) : undefined);
}

const NO_RULES: ReadonlyMap<string, Convert | null> = new Map();

/**
 * Converts members by their rule, leaves out those whose rule is null, and treats the others alike.
 * Gives back the object itself if nothing in it has to change, as is mostly so.
 */
function withMembers(
  value: JsonObject,
  rules: ReadonlyMap<string, Convert | null>,
  others: Convert,
): Json | undefined {
  let out: Record<string, Json> | undefined;
  for (const key in value) {
    const rule = rules.get(key);
    if (rule === null) {
      out ??= membersBefore(key, value);
      continue;
    }
    const member = value[key];
    const converted = member === null ? null : (rule ?? others)(member);
    if (converted === undefined) return undefined;
    const name = rule === undefined ? wellFormed(key) : key;
    if (converted !== member || name !== key) out ??= membersBefore(key, value);
    if (out !== undefined) put(out, name, converted);
  }
  return out ?? (value as Json);
}

/** A copy of the members that stand before a key. */
function membersBefore(end: string, value: JsonObject): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const key in value) {
    if (key === end) break;
    put(out, key, value[key] as Json);
  }
  return out;
}

/** Assigning to `__proto__` would change the object's kind instead of giving it a member. */
function put(object: Record<string, Json>, key: string, value: Json): void {
  if (key !== "__proto__") object[key] = value;
  else
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

/**
 * Levels of lists and objects within a value. More than anybody needs, and few enough for every
 * reader that takes a level at a time, ours included: JSON.stringify fails at some thousands.
 */
const LEVELS = 250;

/** JSON of any shape, with text made writable as UTF-8; `undefined` for what JSON cannot say. */
function clean(value: unknown): Json | undefined {
  return plain(value, LEVELS, (number) => (Number.isFinite(number) ? number : undefined));
}

/** As {@link clean}, with numbers beyond a double as text; `undefined` if it is nested too deeply. */
export function salvage(value: unknown): Json | undefined {
  return plain(value, LEVELS, (number) => (Number.isFinite(number) ? number : String(number)));
}

function plain(
  value: unknown,
  levels: number,
  ofNumber: (number: number) => Json | undefined,
): Json | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "bigint") return value;
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "number") return ofNumber(value);
  if (levels === 0) return undefined;
  const convert = (item: unknown) => plain(item, levels - 1, ofNumber);
  if (Array.isArray(value)) return every(value, convert);
  return isObject(value) ? withMembers(value, NO_RULES, convert) : undefined;
}
