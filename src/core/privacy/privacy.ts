import { columnsOf, EXTRA, type Column } from "../columns.js";
import { digest } from "../digest.js";
import { automaticFields, prune, type PlannedStream } from "../plan.js";
import type { Checkpoint, RecordBatch, Row } from "../record.js";
import type { StreamDef } from "../stream.js";
import { requireSound } from "./check.js";
import { changedColumns, outline, rowChange, scopeChange, type ActionAt } from "./fields.js";
import { fieldRules, type FieldRule } from "./resolve.js";
import { PRESET_RULES, type Action, type PrivacySettings } from "./rules.js";
import { isBelowPeople, sealWith, type Seal } from "./seal.js";
import { keyedHash, type Hash } from "./values.js";

/** Privacy rules, checked and ready to be applied. */
export interface Privacy {
  /** The rules of a stream; undefined if all of it is handed on as it is. */
  of(def: StreamDef): Protection | undefined;
  /** Columns of a stream as they are handed on. */
  readonly columnsOf: (def: StreamDef) => readonly Column[];
  /** What becomes of each field. */
  fields(def: StreamDef): readonly FieldRule[];
  /** Keyed hash of a value; null without a key. */
  readonly hash: Hash | null;
}

/** What is done with one stream. */
export interface Protection {
  /**
   * Changes when any of its rules does, or the key: rows written under one do not go together with
   * rows written under another. Stays when a later version declares more fields.
   */
  readonly print: string;
  /** What a state may hold of people; null if bookmarks of the stream hold nothing of them. */
  readonly seal: Seal | null;
  /** The stream as it is read: its bookmark opened, without the columns that are dropped. */
  read(planned: PlannedStream): PlannedStream;
  /** Columns that are read, as they are handed on. */
  columns(read: readonly Column[]): readonly Column[];
  /** Changes batches of the stream as it is read. */
  batches(read: readonly Column[]): (batch: RecordBatch) => RecordBatch;
}

/**
 * Compiles privacy settings, once per run.
 *
 * @throws ConnectorError `config`: a rule for something that does not exist, one that would take a
 *   key, a hash without a key.
 */
export function compilePrivacy(settings: PrivacySettings, registry: readonly StreamDef[]): Privacy {
  const fields = new Map(registry.map((def) => [def, fieldRules(def, settings)]));
  requireSound(settings, registry, fields);
  const hash = settings.key === undefined ? null : keyedHash(settings.key);
  const protections = new Map<string, Protection>();
  for (const [def, rules] of fields) {
    const isPlain = rules.every((r) => r.action === "keep");
    const losesExtra = settings.rules[`${def.name}.${EXTRA.name}`] === "drop";
    if (settings.preset === "full" && isPlain && !losesExtra) continue;
    const seal =
      settings.key !== undefined && isBelowPeople(def) ? sealWith(settings.key, def.name) : null;
    const needsKey = seal !== null || rules.some((r) => r.action === "hash");
    const print = digest({
      ...rulesBehind(def, rules, settings),
      key: hash === null || !needsKey ? null : hash("knowbe4-connector", undefined),
    });
    protections.set(def.name, protectionOf(def, rules, { hash, seal, print }));
  }
  const of = (def: StreamDef) => protections.get(def.name);
  return {
    of,
    columnsOf: (def) => {
      const all = columnsOf(def);
      const protection = of(def);
      if (protection === undefined) return all;
      return protection.columns(protection.read(plannedAs(def, all)).columns);
    },
    fields: (def) => fields.get(def) ?? [],
    hash,
  };
}

function plannedAs(def: StreamDef, columns: readonly Column[]): PlannedStream {
  return { def, columns, emit: true, bookmark: null, derived: false, parents: "listing" };
}

/**
 * What decides over the fields of a stream. Not what becomes of each: that would change with every
 * field that a later version declares, and nobody could go on with the rows they have.
 */
function rulesBehind(
  def: StreamDef,
  fields: readonly FieldRule[],
  { preset, rules }: PrivacySettings,
) {
  const tags = new Set<string | undefined>(fields.map((f) => f.column.pii));
  const concerns = (name: string) => name.startsWith(`${def.name}.`) || tags.has(name);
  const mine = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => concerns(name)));
  if (preset === "full") return { rules: mine(rules) };
  const { tags: byTag, columns } = PRESET_RULES[preset];
  return { rules: mine(rules), preset: { tags: byTag, columns: mine(columns) } };
}

function protectionOf(
  def: StreamDef,
  rules: readonly FieldRule[],
  { hash, seal, print }: Pick<Protection, "print" | "seal"> & Pick<Privacy, "hash">,
): Protection {
  const actions = new Map<string, Action>(rules.map((r) => [r.path, r.action]));
  const at: ActionAt = (path) => actions.get(path) ?? "keep";
  const dropped = droppedPaths(columnsOf(def), at);
  const automatic = automaticFields(def);
  const declared = columnsOf(def).map((c) => c.name);
  const keeping = ({ stream, bookmark }: Checkpoint): Checkpoint => ({
    stream,
    bookmark: { ...(seal?.close(bookmark) ?? bookmark), privacy: print },
  });
  return {
    print,
    seal,
    read: (planned) => ({
      ...planned,
      columns: prune(planned.columns, dropped, automatic),
      bookmark:
        planned.bookmark === null ? null : (seal?.open(planned.bookmark) ?? planned.bookmark),
    }),
    columns: (read) => changedColumns(read, at),
    batches: (read) => {
      const change = rowChange(read, at, hash);
      const scopeOf = scopeChange(read, at, change);
      return ({ scopes, ...batch }) => ({
        ...batch,
        ...(scopes === undefined
          ? {}
          : { scopes: scopes.map(scopeOf).filter((scope) => scope !== null) }),
        rows: batch.rows.map((row: Row) => change(row)),
        rejects: batch.rejects.map(({ reason, raw }) => ({ reason, raw: outline(raw, declared) })),
        checkpoint: batch.checkpoint && keeping(batch.checkpoint),
      });
    },
  };
}

/** Paths that are left out: dropped fields, objects of which nothing is left, unknown fields. */
function droppedPaths(columns: readonly Column[], at: ActionAt): ReadonlySet<string> {
  const out = new Set<string>([EXTRA.name]);
  const visit = (column: Column, path: string): boolean => {
    const { members = [] } = column;
    const isOut =
      members.length === 0
        ? at(path) === "drop"
        : members.map((m) => visit(m, `${path}.${m.name}`)).every(Boolean);
    if (isOut) out.add(path);
    return isOut;
  };
  for (const column of columns) visit(column, column.name);
  return out;
}
