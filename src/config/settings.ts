import { z } from "zod";

import { configSchema } from "./schema.js";

/** One setting that can be given on its own. */
export interface Setting {
  /** `["rate_limit", "per_minute"]`. */
  readonly path: readonly string[];
  /** JSON type of the value: decides how text from the environment is read. */
  readonly type: "string" | "number" | "boolean";
  readonly description: string;
  readonly allowed: readonly string[];
  readonly default: string | undefined;
  readonly required: boolean;
  readonly secret: boolean;
}

/** JSON Schema of the configuration, draft 7, as `--about` and `spec.json` show it. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(configSchema, { target: "draft-7", io: "input" });
}

interface Node {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly secret?: boolean;
}

/** Every setting that takes a plain value, nested ones too, in the order they are declared. */
export function settings(): readonly Setting[] {
  return leaves(configJsonSchema(), []);
}

function leaves(node: Node, path: readonly string[], required = false): readonly Setting[] {
  const variants = node.oneOf ?? [];
  const objects = node.properties === undefined ? variants : [node];
  if (objects.length === 0) return [leaf(node, path, required)];
  const found = new Map<string, Setting>();
  for (const object of objects) {
    for (const [name, child] of Object.entries(object.properties ?? {})) {
      for (const setting of leaves(child, [...path, name], object.required?.includes(name))) {
        found.set(setting.path.join("."), setting);
      }
    }
  }
  return [...found.values()];
}

function leaf(node: Node, path: readonly string[], required: boolean): Setting {
  const typed = node.anyOf?.find((n) => n.type !== "null") ?? node;
  const [type] = [typed.type ?? "string"].flat();
  const allowed = typed.enum ?? (typed.const === undefined ? [] : [typed.const]);
  return {
    path,
    type: type === "integer" || type === "number" ? "number" : type === "boolean" ? type : "string",
    description: node.description ?? "",
    allowed,
    default: node.default === undefined ? undefined : JSON.stringify(node.default),
    required: required && node.default === undefined,
    secret: node.secret === true,
  };
}

/** Environment variable of a setting: `TAP_KNOWBE4_RATE_LIMIT_PER_MINUTE`. */
export function envName(setting: Pick<Setting, "path">): string {
  return `TAP_KNOWBE4_${setting.path.join("_").toUpperCase()}`;
}
