import type { Column } from "./columns.js";
import { isObject, type Json, type JsonObject } from "./json.js";

/**
 * Turns a value of the API into a value of a column; `undefined` says that it does not fit.
 * Coerces only where nothing is lost: numbers to text, digits to numbers, offsets to UTC.
 */
export type Convert = (value: unknown) => Json | undefined;

/** The conversion of a column. Null and absent never reach it. */
export function converter(column: Column, whole: Column = column): Convert {
  if (column.type === "json") return jsonConverter(column, whole);
  return SCALARS[column.type];
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
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return String(value);
  }
  return undefined;
}

/** Half of a surrogate pair cannot be written as UTF-8; it becomes U+FFFD, as browsers do. */
function wellFormed(value: string): string {
  return value.isWellFormed() ? value : value.toWellFormed();
}

function toInteger(value: unknown): number | bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value === "bigint") {
    if (value > INT64_MAX || value < INT64_MIN) return undefined;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) return toInteger(BigInt(value));
  return undefined;
}

function toNumber(value: unknown): number | bigint | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "bigint") return value;
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

/** What the API sends: no calendar to check, because every month has 28 days. */
const PLAIN_INSTANT =
  /^[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

const ANY_INSTANT =
  /^([1-9]\d{3})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/i;

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
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

function toDay(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const match = ANY_INSTANT.exec(value.trim());
  if (match === null) return undefined;
  const [, year = "", month = "", dayOfMonth = ""] = match;
  return isCalendarDay(year, month, dayOfMonth) ? `${year}-${month}-${dayOfMonth}` : undefined;
}

/** `Date.parse` takes 30 February for 2 March, so the calendar is asked. */
function isCalendarDay(year: string, month: string, dayOfMonth: string): boolean {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(dayOfMonth)));
  return date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(dayOfMonth);
}

function jsonConverter(column: Column, whole: Column): Convert {
  const item = memberConverter(column, whole);
  if (column.list !== true) {
    return column.members === undefined
      ? clean
      : (value) => (isObject(value) ? item(value) : undefined);
  }
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    const items: unknown[] = column.shape === "flat" ? value.flat() : value;
    return every(items, column.shape === "ids" ? toId : item);
  };
}

function every(items: readonly unknown[], convert: Convert): Json | undefined {
  const out: Json[] = [];
  for (const item of items) {
    const converted = item === null ? null : convert(item);
    if (converted === undefined) return undefined;
    out.push(converted);
  }
  return out;
}

/** A list of ids holds numbers, or objects when the API was asked to expand them. */
function toId(value: unknown): number | bigint | undefined {
  if (!isObject(value)) return toInteger(value);
  return toInteger(value["id"] ?? value["group_id"]);
}

/** Declared members are converted like columns, deselected ones left out, unknown ones kept. */
function memberConverter(column: Column, whole: Column): Convert {
  if (whole.members === undefined) return clean;
  const selected = new Map((column.members ?? []).map((m) => [m.name, m]));
  const rules = new Map<string, Convert | null>();
  for (const member of whole.members) {
    const kept = selected.get(member.name);
    rules.set(member.name, kept === undefined ? null : converter(kept, member));
  }
  return (value) => {
    if (!isObject(value)) return undefined;
    const entries: [string, Json][] = [];
    for (const [key, member] of Object.entries(value)) {
      const rule = rules.get(key);
      if (rule === null) continue;
      const converted = member === null ? null : (rule ?? clean)(member);
      if (converted === undefined) return undefined;
      entries.push([key, converted]);
    }
    return Object.fromEntries(entries);
  };
}

/** JSON of any shape, with text made writable as UTF-8; `undefined` for what JSON cannot say. */
export function clean(value: unknown): Json | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "bigint") return value;
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) return every(value, clean);
  return isObject(value) ? cleanObject(value) : undefined;
}

function cleanObject(value: JsonObject): Json | undefined {
  const entries: [string, Json][] = [];
  for (const [key, member] of Object.entries(value)) {
    const cleaned = clean(member);
    if (cleaned === undefined) return undefined;
    entries.push([wellFormed(key), cleaned]);
  }
  return Object.fromEntries(entries);
}
