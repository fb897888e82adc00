import { readFileSync } from "node:fs";

import { ConnectorError } from "../core/errors.js";
import { isObject, type JsonObject } from "../core/json.js";
import { DEFAULT_TYPE } from "./destination.js";
import { merge, type Values } from "./merge.js";
import { didYouMean, problem } from "./problems.js";
import { configSchema, type Config } from "./schema.js";
import { over, readSecretFiles } from "./secrets.js";
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
  let values: Values = {};
  for (const layer of layers) {
    values = over(values, readGroups(layer, all, problems), all, problems);
  }
  values = readSecretFiles(values, all, problems);
  values = readText(values, all);
  if (sources.withoutKey && values["api_key"] === undefined)
    values = { ...values, api_key: "none" };
  // Issues carry what was given, to tell what is missing from what is wrong; no message repeats it.
  const parsed = configSchema.safeParse(values, { reportInput: true });
  if (!parsed.success) {
    const type = typeOf(values);
    problems.push(...parsed.error.issues.flatMap((i) => problem(i, all, type)));
  }
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
    known.set(`${envName({ path })}_FILE`, [...path.slice(0, -1), `${path.at(-1) ?? ""}_file`]);
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

/** Platforms hand over numbers and booleans as text; they are read as what is declared. */
function readText(values: Values, all: readonly Setting[]): Record<string, unknown> {
  const out: Record<string, unknown> = { ...values };
  const { destination } = out;
  if (isObject(destination)) out["destination"] = { type: DEFAULT_TYPE, ...destination };
  for (const { path, type } of all) {
    const [head = "", leaf] = path;
    const holder = leaf === undefined ? out : out[head];
    const key = leaf ?? head;
    if (!isObject(holder) || typeof holder[key] !== "string" || type === "string") continue;
    const given = holder[key].trim();
    const value =
      type === "object"
        ? // A form sends what nobody filled in as empty text.
          parsed(given === "" ? "{}" : given, isObject)
        : parsed(given.toLowerCase(), (v) => v === null || typeof v === type);
    if (value === undefined) continue;
    if (leaf === undefined) out[head] = value;
    else out[head] = { ...holder, [leaf]: value };
  }
  return out;
}

function typeOf({ destination }: Values): string {
  const type = isObject(destination) ? destination["type"] : undefined;
  return typeof type === "string" ? type : DEFAULT_TYPE;
}

function parsed(text: string, holds: (value: unknown) => boolean): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return holds(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
