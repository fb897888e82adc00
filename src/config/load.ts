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
  let values: Record<string, unknown> = {};
  for (const path of sources.files) {
    if (path === "ENV") continue;
    values = merge(values, readObject(path, sources));
  }
  values = merge(values, fromEnv(all, sources.env, problems));
  values = merge(values, sources.overrides ?? {});
  values = readSecretFiles(values, all, problems);
  values = readText(values, all);
  if (sources.withoutKey && values["api_key"] === undefined) values["api_key"] = "none";
  const parsed = configSchema.safeParse(values);
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

/** Objects are merged one level deep, so that one file may set a limit and another the next. */
function merge(a: Record<string, unknown>, b: JsonObject): Record<string, unknown> {
  const out = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = out[key];
    out[key] = isObject(before) && isObject(value) ? { ...before, ...value } : value;
  }
  return out;
}

function fromEnv(
  all: readonly Setting[],
  env: ConfigSources["env"],
  problems: string[],
): JsonObject {
  let values: Record<string, unknown> = {};
  const known = new Map(all.map((s) => [envName(s), s]));
  for (const setting of all.filter((s) => s.secret)) {
    known.set(`${envName(setting)}_FILE`, { ...setting, path: [`${setting.path.join(".")}_file`] });
  }
  const groups = new Map(
    all
      .filter((s) => s.path.length > 1)
      .map((s) => [envName({ ...s, path: s.path.slice(0, 1) }), s]),
  );
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith("TAP_KNOWBE4_") || value === undefined || value === "") continue;
    const setting = known.get(name);
    const group = groups.get(name);
    if (setting !== undefined) values = merge(values, nest(setting.path, value));
    else if (group !== undefined) values = merge(values, nest(group.path.slice(0, 1), value));
    // Meltano exports more names with our prefix than we declare: its own have a double underscore.
    else if (!name.startsWith("TAP_KNOWBE4__") && name !== "TAP_KNOWBE4_LOGLEVEL") {
      problems.push(`config: unknown setting ${name}${didYouMean(name, [...known.keys()])}`);
    }
  }
  return values;
}

function nest(path: readonly string[], value: unknown): JsonObject {
  const [head = "", ...rest] = path;
  return { [head]: rest.length === 0 ? value : nest(rest, value) };
}

/** `api_key_file` stands for the content of that file. */
function readSecretFiles(
  values: Record<string, unknown>,
  all: readonly Setting[],
  problems: string[],
): Record<string, unknown> {
  const out = { ...values };
  for (const { path } of all.filter((s) => s.secret)) {
    const name = path.join(".");
    const file = out[`${name}_file`];
    if (typeof file !== "string") continue;
    Reflect.deleteProperty(out, `${name}_file`);
    try {
      out[name] = readFileSync(file, "utf8").trim();
    } catch {
      problems.push(`config: ${name}_file: the file cannot be read`);
      out[name] = "unread";
    }
  }
  return out;
}

/** Platforms hand over numbers, booleans and objects as text; they are read as what is declared. */
function readText(
  values: Record<string, unknown>,
  all: readonly Setting[],
): Record<string, unknown> {
  const out: Record<string, unknown> = { ...values };
  const groups = new Set(all.filter((s) => s.path.length > 1).map((s) => s.path[0] ?? ""));
  for (const group of groups) {
    const value = out[group];
    if (typeof value === "string") out[group] = parsed(value, isObject) ?? value;
  }
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
  if (name === "api_key") return ["config: api_key is empty or not text"];
  if (setting !== undefined && setting.allowed.length > 0) {
    return [`config: ${name} must be one of ${setting.allowed.join(", ")}`];
  }
  return [`config: ${name}: ${issue.message.replace(/^Invalid input: /, "")}`];
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : `: did you mean "${near}"?`;
}
