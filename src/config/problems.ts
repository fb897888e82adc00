import { nearest } from "../core/suggest.js";
import type { configSchema } from "./schema.js";
import { envName, settingsOfType, type Setting } from "./settings.js";

type Issue = NonNullable<ReturnType<typeof configSchema.safeParse>["error"]>["issues"][number];

/** One line per problem: the setting, the rule, the fix; never the value. */
export function problem(issue: Issue, all: readonly Setting[], type: string): readonly string[] {
  const name = issue.path.join(".");
  const setting = all.find((s) => s.path.join(".") === name);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknown(name === "" ? key : `${name}.${key}`, all, type));
  }
  if (issue.code === "invalid_type" && issue.input === undefined && setting?.required === true) {
    return [`config: ${name} is missing: set it in the file or as ${envName(setting)}`];
  }
  if (name === "api_key") {
    const what = issue.code === "custom" ? "holds spaces or other characters that no key has" : "";
    return [`config: api_key ${what === "" ? "is empty or not text" : what}`];
  }
  if (setting !== undefined && setting.allowed.length > 0) {
    const own = settingsOfType(type).find((s) => s.path.join(".") === name);
    const allowed = own?.allowed ?? setting.allowed;
    const where =
      allowed.length === setting.allowed.length ? "" : ` for destination.type "${type}"`;
    return [`config: ${name} must be one of ${allowed.join(", ")}${where}`];
  }
  return [`config: ${name}: ${issue.message.replace(/^Invalid input: /, "")}`];
}

/** A setting that there is not, or not for this type of destination. */
function unknown(name: string, all: readonly Setting[], type: string): string {
  const fitting = all.filter((s) => s.types.length === 0 || s.types.includes(type));
  const other = all.find((s) => s.path.join(".") === name);
  if (other !== undefined && other.types.length > 0) {
    const owners = other.types.map((t) => `"${t}"`).join(", ");
    return `config: ${name} is no setting of destination.type "${type}", only of ${owners}`;
  }
  const names = fitting.map((s) => s.path.join("."));
  const heads = fitting.map((s) => s.path[0] ?? "");
  return `config: unknown setting "${name}"${didYouMean(name, [...names, ...heads])}`;
}

/** `: did you mean "page_size"?`, or nothing if no candidate is like it. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : `: did you mean "${near}"?`;
}
