import { readFileSync } from "node:fs";

import { ConnectorError } from "../core/errors.js";
import { isObject, type JsonObject } from "../core/json.js";
import { nearest } from "../core/suggest.js";
import { configSchema, type Config } from "./schema.js";
import { envName, settings, type Setting } from "./settings.js";

/** Where a configuration comes from; later sources win, setting by setting. */
export interface ConfigSources {
  /** Paths of JSON files; `-` is standard input, `ENV` stands for the environment alone. */
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values that the command line or a command itself gives; win over everything. */
  readonly overrides?: JsonObject;
  /** Reads standard input; only called for `-`. */
  readonly stdin?: () => string;
  /** True for commands that talk to no API: a missing key is no fault. */
  readonly withoutKey?: true;
}

/**
 * Reads the configuration: files, then `TAP_KNOWBE4_*`, then what the command gives.
 *
 * @throws ConnectorError `config` with one line per problem, naming the setting and the fix, never
 *   the value.
 */
export function loadConfig(sources: ConfigSources): Config {
  const problems: string[] = [];
  const all = settings();
  const layers = [
    ...sources.files.filter((path) => path !== "ENV").map((path) => readObject(path, sources)),
    ...fromEnv(all, sources.env, problems),
    sources.overrides ?? {},
  ];
  let values: Record<string, unknown> = {};
  for (const layer of layers) {
    values = over(values, readGroups(layer, all, problems), all, problems);
  }
  values = readSecretFiles(values, all, problems);
  values = readText(values, all);
  if (sources.withoutKey && values["api_key"] === undefined) values["api_key"] = "none";
  // Issues carry what was given, to tell what is missing from what is wrong; no message repeats it.
  const parsed = configSchema.safeParse(values, { reportInput: true });
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((i) => problem(i, all)));
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new ConnectorError("config", [...new Set(problems)].join("\n"));
}

function readObject(path: string, sources: ConfigSources): JsonObject {
  const name = path === "-" ? "standard input" : path;
  const parsed = readJson(name, () =>
    path === "-" && sources.stdin ? sources.stdin() : readFileSync(path, "utf8"),
  );
  if (isObject(parsed)) return parsed;
  throw new ConnectorError("config", `config: ${name} is not a JSON object`);
}

/**
 * Reads a JSON file that the user named.
 *
 * @throws ConnectorError `config` naming the file and what is wrong with it, never its content.
 */
export function readJson(name: string, read: () => string): unknown {
  let content: string;
  try {
    content = read();
  } catch (error) {
    const code = isObject(error) ? error["code"] : undefined;
    const why = code === "ENOENT" ? "does not exist" : `cannot be read (${String(code)})`;
    throw new ConnectorError("config", `config: ${name} ${why}`, { cause: error });
  }
  if (content.trim() === "") throw new ConnectorError("config", `config: ${name} is empty`);
  try {
    return JSON.parse(content);
  } catch {
    // The parser's message quotes the text, which may hold a key, so only the place is told.
    throw new ConnectorError("config", `config: ${name} is not JSON`);
  }
}

type Values = Readonly<Record<string, unknown>>;

/** Objects are merged one level deep, so that one file may set a limit and another the next. */
function merge(below: Values, above: Values): Record<string, unknown> {
  const out = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const before = out.get(key);
    out.set(key, isObject(before) && isObject(value) ? { ...before, ...value } : value);
  }
  return Object.fromEntries(out);
}

/** Puts one source over another. A secret and the file that holds it are the same setting. */
function over(
  below: Values,
  above: Values,
  all: readonly Setting[],
  problems: string[],
): Record<string, unknown> {
  const kept = { ...below };
  for (const { path } of all.filter((s) => s.secret)) {
    const name = path.join(".");
    const file = `${name}_file`;
    if (name in above && file in above) {
      problems.push(`config: ${name} and ${file} are both set: leave one out`);
    }
    if (name in above) Reflect.deleteProperty(kept, file);
    if (file in above) Reflect.deleteProperty(kept, name);
  }
  return merge(kept, above);
}

/** A group of settings may come as the text of a JSON object. */
function readGroups(layer: Values, all: readonly Setting[], problems: string[]): Values {
  const out = { ...layer };
  for (const group of new Set(all.filter((s) => s.path.length > 1).map((s) => s.path[0] ?? ""))) {
    const value = out[group];
    if (typeof value !== "string") continue;
    out[group] = parsed(value, isObject);
    if (out[group] !== undefined) continue;
    problems.push(`config: ${group}: expected object, received string`);
    Reflect.deleteProperty(out, group);
  }
  return out;
}

/** The environment in two layers: groups as JSON, and over them the settings on their own. */
function fromEnv(
  all: readonly Setting[],
  env: ConfigSources["env"],
  problems: string[],
): readonly Values[] {
  const groups: Record<string, unknown> = {};
  let single: Values = {};
  const known = new Map(all.map((s) => [envName(s), s.path]));
  for (const { path } of all.filter((s) => s.secret)) {
    known.set(`${envName({ path })}_FILE`, [`${path.join(".")}_file`]);
  }
  const heads = all.filter((s) => s.path.length > 1).map((s) => s.path.slice(0, 1));
  const groupOf = new Map(heads.map((path) => [envName({ path }), path[0] ?? ""]));
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith("TAP_KNOWBE4_") || value === undefined || value === "") continue;
    const path = known.get(name);
    const group = groupOf.get(name);
    if (path !== undefined) single = merge(single, nest(path, value));
    else if (group !== undefined) groups[group] = value;
    // Meltano exports more names with our prefix than we declare: its own have a double underscore.
    else if (!name.startsWith("TAP_KNOWBE4__") && name !== "TAP_KNOWBE4_LOGLEVEL") {
      problems.push(`config: unknown setting ${name}${didYouMean(name, [...known.keys()])}`);
    }
  }
  return [groups, single];
}

function nest(path: readonly string[], value: unknown): JsonObject {
  const [head = "", ...rest] = path;
  return { [head]: rest.length === 0 ? value : nest(rest, value) };
}

/** In place of a secret whose own problem has been told: it is not missing as well. */
const UNREAD = "unread";

/** `api_key_file` stands for the content of that file. */
function readSecretFiles(
  values: Values,
  all: readonly Setting[],
  problems: string[],
): Record<string, unknown> {
  const out = { ...values };
  for (const { path } of all.filter((s) => s.secret)) {
    const name = path.join(".");
    const file = out[`${name}_file`];
    if (file === undefined) continue;
    Reflect.deleteProperty(out, `${name}_file`);
    out[name] = UNREAD;
    if (typeof file !== "string") {
      problems.push(`config: ${name}_file is not text`);
      continue;
    }
    try {
      out[name] = readFileSync(file, "utf8").trim();
    } catch {
      problems.push(`config: ${name}_file: the file cannot be read`);
    }
  }
  return out;
}

/** Platforms hand over numbers and booleans as text; they are read as what is declared. */
function readText(values: Values, all: readonly Setting[]): Record<string, unknown> {
  const out: Record<string, unknown> = { ...values };
  const { destination } = out;
  if (isObject(destination)) out["destination"] = { type: "duckdb", ...destination };
  for (const { path, type } of all) {
    const [head = "", leaf] = path;
    const holder = leaf === undefined ? out : out[head];
    const key = leaf ?? head;
    if (!isObject(holder) || typeof holder[key] !== "string" || type === "string") continue;
    const value = parsed(holder[key].trim().toLowerCase(), (v) => v === null || typeof v === type);
    if (value === undefined) continue;
    if (leaf === undefined) out[head] = value;
    else out[head] = { ...holder, [leaf]: value };
  }
  return out;
}

function parsed(text: string, holds: (value: unknown) => boolean): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return holds(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

type Issue = NonNullable<ReturnType<typeof configSchema.safeParse>["error"]>["issues"][number];

/** One line per problem: the setting, the rule, the fix; never the value. */
function problem(issue: Issue, all: readonly Setting[]): readonly string[] {
  const name = issue.path.join(".");
  const setting = all.find((s) => s.path.join(".") === name);
  if (issue.code === "unrecognized_keys") {
    const prefix = name === "" ? "" : `${name}.`;
    const names = all.map((s) => s.path.join("."));
    const heads = all.map((s) => s.path[0] ?? "");
    return issue.keys.map((key) => {
      const near = didYouMean(prefix + key, [...names, ...heads]);
      return `config: unknown setting "${prefix}${key}"${near}`;
    });
  }
  if (issue.code === "invalid_type" && issue.input === undefined && setting?.required === true) {
    return [`config: ${name} is missing: set it in the file or as ${envName(setting)}`];
  }
  if (name === "api_key") {
    const what = issue.code === "custom" ? "holds spaces or other characters that no key has" : "";
    return [`config: api_key ${what === "" ? "is empty or not text" : what}`];
  }
  if (setting !== undefined && setting.allowed.length > 0) {
    return [`config: ${name} must be one of ${setting.allowed.join(", ")}`];
  }
  return [`config: ${name}: ${issue.message.replace(/^Invalid input: /, "")}`];
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : `: did you mean "${near}"?`;
}
