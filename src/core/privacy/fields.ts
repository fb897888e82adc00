import type { Column } from "../columns.js";
import type { Json } from "../json.js";
import type { Row, Scope } from "../record.js";
import type { Action } from "./rules.js";
import { MASK, truncateIp, type Hash } from "./values.js";

/** Changes a value that is not null. */
type Change = (value: Json) => Json;

/** What is done with the field at a path, as `user.email`. */
export type ActionAt = (path: string) => Action;

/** Columns as rows have them afterwards: what is hashed or masked is text. */
export function changedColumns(
  columns: readonly Column[],
  at: ActionAt,
  prefix = "",
): readonly Column[] {
  return columns.map((column) => {
    const path = prefix + column.name;
    if (column.members !== undefined && column.members.length > 0) {
      return { ...column, members: changedColumns(column.members, at, `${path}.`) };
    }
    return changedColumn(column, at(path));
  });
}

const NOTES: Readonly<Record<Action, string>> = {
  keep: "",
  drop: "",
  hash: " Keyed hash.",
  mask: " Masked.",
  truncate_ip: " Truncated to its network.",
};

function changedColumn(column: Column, action: Action): Column {
  const note = NOTES[action];
  if (note === "") return column;
  const description = column.description + note;
  if (action === "truncate_ip") return { ...column, description };
  const { name, nullable, pii, list, items } = column;
  const tag = pii === undefined ? {} : { pii };
  if (list === true && items !== undefined) {
    return { name, type: "json", nullable, description, ...tag, list, items: "string" };
  }
  return { name, type: "string", nullable, description, ...tag };
}

/** Changes rows of these columns; only declared members of objects are handed on. */
export function rowChange(
  columns: readonly Column[],
  at: ActionAt,
  hash: Hash | null,
): (row: Row) => Row {
  const changes: (readonly [name: string, change: Change])[] = [];
  for (const column of columns) {
    const change = changeOf(column, at, column.name, hash);
    if (change !== null) changes.push([column.name, change]);
  }
  if (changes.length === 0) return (row) => row;
  return (row) => {
    const out = { ...row };
    for (const [name, change] of changes) {
      const value = out[name] ?? null;
      if (value !== null) out[name] = change(value);
    }
    return out;
  };
}

/**
 * Changes what was read completely to values as they stand in the changed rows. Null where they do
 * not say any more which rows are meant: then nothing may be taken for gone.
 */
export function scopeChange(
  columns: readonly Column[],
  at: ActionAt,
  change: (row: Row) => Row,
): (scope: Scope) => Scope | null {
  const isTold = (name: string): boolean =>
    columns.some((c) => c.name === name) && (at(name) === "keep" || at(name) === "hash");
  return (scope) => {
    if (scope.kind === "whole") return scope;
    const { column } = scope;
    if (!isTold(column)) return null;
    const changed = (value: Json): Json => change({ [column]: value })[column] ?? null;
    return scope.kind === "part"
      ? { ...scope, value: changed(scope.value) }
      : { ...scope, listed: scope.listed.map(changed) };
  };
}

function changeOf(column: Column, at: ActionAt, path: string, hash: Hash | null): Change | null {
  const { members, list, items, pii } = column;
  if (members !== undefined && members.length > 0) {
    const change = membersChange(members, at, path, hash);
    return list === true ? each(change) : change;
  }
  const change = valueChange(at(path), hash, pii);
  return change !== null && list === true && items !== undefined ? each(change) : change;
}

function each(change: Change): Change {
  return (value) =>
    Array.isArray(value)
      ? (value as readonly Json[]).map((item) => (item === null ? null : change(item)))
      : null;
}

function membersChange(
  members: readonly Column[],
  at: ActionAt,
  path: string,
  hash: Hash | null,
): Change {
  const changes = members.map((m) => [m.name, changeOf(m, at, `${path}.${m.name}`, hash)] as const);
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    const from = value as Readonly<Record<string, Json>>;
    const out: Record<string, Json> = {};
    for (const [name, change] of changes) {
      if (!Object.hasOwn(from, name)) continue;
      const member = from[name] ?? null;
      out[name] = member === null || change === null ? member : change(member);
    }
    return out;
  };
}

function valueChange(action: Action, hash: Hash | null, pii: Column["pii"]): Change | null {
  switch (action) {
    case "keep":
      return null;
    case "mask":
      return () => MASK;
    case "truncate_ip":
      return truncateIp;
    case "hash":
      return (value) => (hash === null ? null : hash(value, pii));
    case "drop":
      return () => null;
  }
}

/** What a rejected row was made of: which declared fields it had, of which kind, and no value. */
export function outline(raw: Json, declared: readonly string[]): Json {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return kindOf(raw);
  const from = raw as Readonly<Record<string, Json>>;
  const known = declared.filter((name) => Object.hasOwn(from, name));
  return Object.fromEntries(known.map((name) => [name, kindOf(from[name] ?? null)]));
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "bigint" ? "number" : typeof value;
}
