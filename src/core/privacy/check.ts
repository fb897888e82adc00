import { columnsOf, EXTRA, OBSERVED_AT, type Column } from "../columns.js";
import { ConnectorError } from "../errors.js";
import type { StreamDef } from "../stream.js";
import { nearest } from "../suggest.js";
import type { FieldRule } from "./resolve.js";
import { ACTIONS, TAGS, type Action, type PrivacySettings } from "./rules.js";

/** Shortest key of the hashes, in characters: a shorter one could be guessed. */
const SHORTEST_KEY = 16;

/**
 * What is wrong with the settings: one line each, naming the setting and the fix.
 *
 * @throws ConnectorError `config`.
 */
export function requireSound(
  settings: PrivacySettings,
  registry: readonly StreamDef[],
  fields: ReadonlyMap<StreamDef, readonly FieldRule[]>,
): void {
  const problems = [
    ...Object.entries(settings.rules).flatMap(([name, action]) =>
      ruleProblems(name, action, registry),
    ),
  ];
  if (problems.length === 0) {
    for (const [def, rules] of fields) {
      problems.push(...rules.flatMap((rule) => fieldProblems(def, rule)));
    }
    problems.push(...keyProblems(settings, fields));
  }
  if (problems.length === 0) return;
  throw new ConnectorError("config", [...new Set(problems)].map((p) => `config: ${p}`).join("\n"));
}

function ruleProblems(
  name: string,
  action: string,
  registry: readonly StreamDef[],
): readonly string[] {
  const at = `privacy.rules.${name}`;
  if (!(ACTIONS as readonly string[]).includes(action)) {
    return [`${at} must be one of ${ACTIONS.join(", ")}`];
  }
  const [head = "", ...path] = name.split(".");
  if (path.length === 0) return tagProblems(at, head, action as Action, registry);
  const def = registry.find((d) => d.name === head);
  if (def === undefined) return [unknown(at, "stream", head, namesOf(registry))];
  return pathProblems(at, def, path, action as Action);
}

function tagProblems(
  at: string,
  tag: string,
  action: Action,
  registry: readonly StreamDef[],
): readonly string[] {
  const tags: readonly string[] = TAGS;
  if (tags.includes(tag)) {
    if (action !== "truncate_ip" || tag === "address") return [];
    return [`${at}: truncate_ip is for address; use drop, hash or mask`];
  }
  if (namesOf(registry).includes(tag)) {
    return [`${at} names a stream: name one of its columns, or deselect it`];
  }
  return [unknown(at, "PII tag", tag, tags)];
}

function pathProblems(
  at: string,
  def: StreamDef,
  path: readonly string[],
  action: Action,
): readonly string[] {
  let columns: readonly Column[] = columnsOf(def);
  let found: Column | undefined;
  for (const name of path) {
    found = columns.find((c) => c.name === name);
    if (found === undefined)
      return [
        unknown(
          at,
          "column",
          name,
          columns.map((c) => c.name),
        ),
      ];
    columns = found.members ?? [];
  }
  if (found?.name === OBSERVED_AT.name) return [`${at}: it holds no personal data; leave it out`];
  if (found?.name === EXTRA.name && action !== "drop") return [`${at} can only be drop`];
  return [];
}

function fieldProblems(def: StreamDef, field: FieldRule): readonly string[] {
  const { action, rule, path, column, isAutomatic } = field;
  if (rule === null || action === "keep") return [];
  const at = `privacy.rules.${rule}`;
  const isCursor = isAutomatic && !def.primaryKey.includes(path);
  if (isAutomatic && (isCursor || action !== "hash" || column.type === "date")) {
    const isKey = def.primaryKey.includes(path);
    const what = isKey ? "identifies the rows" : "says how far the stream was read";
    const isDay = column.type === "date" || isCursor;
    const fix = isDay
      ? "set it to keep"
      : `set ${def.name}.${path} to hash, or deselect the stream`;
    return [`${at}: ${action} is not possible, ${def.name}.${path} ${what}: ${fix}`];
  }
  const isText = column.type === "string" || (column.list === true && column.items === "string");
  if (action === "truncate_ip" && !isText) {
    return [`${at}: truncate_ip needs text, ${def.name}.${path} is ${column.type}`];
  }
  return [];
}

function keyProblems(
  { key }: PrivacySettings,
  fields: ReadonlyMap<StreamDef, readonly FieldRule[]>,
): readonly string[] {
  if (key !== undefined && key.length < SHORTEST_KEY) {
    return [`privacy.key is shorter than ${String(SHORTEST_KEY)} characters: use a random one`];
  }
  if (key !== undefined) return [];
  for (const [def, rules] of fields) {
    const hashed = rules.find((r) => r.action === "hash");
    if (hashed === undefined) continue;
    return [
      `privacy.key is missing: ${def.name}.${hashed.path} is to be hashed; set it to a random text that is kept, or privacy.key_file`,
    ];
  }
  return [];
}

function namesOf(registry: readonly StreamDef[]): readonly string[] {
  return registry.map((d) => d.name);
}

function unknown(at: string, what: string, name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  const hint = near === undefined ? `: known are ${names.join(", ")}` : `: did you mean "${near}"?`;
  return `${at}: unknown ${what} "${name}"${hint}`;
}
