import { z } from "zod";

import { configSchema } from "./schema.js";

/** One setting that can be given on its own. */
export interface Setting {
  /** `["rate_limit", "per_minute"]`. */
  readonly path: readonly string[];
  /** JSON type of the value: decides how text from the environment is read. */
  readonly type: "string" | "number" | "boolean" | "object";
  readonly description: string;
  readonly allowed: readonly string[];
  readonly default: string | undefined;
  readonly required: boolean;
  readonly secret: boolean;
  /** Types of destination that have it; empty for a setting of no destination. */
  readonly types: readonly string[];
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
  const found = new Map<string, Setting>();
  for (const setting of leaves(configJsonSchema(), [])) {
    const name = setting.path.join(".");
    const before = found.get(name);
    found.set(name, before === undefined ? setting : both(before, setting));
  }
  return [...found.values()];
}

/** The settings of one type of destination, as that type has them. */
export function settingsOfType(type: string): readonly Setting[] {
  return leaves(configJsonSchema(), []).filter((s) => s.types.includes(type));
}

/** One entry per variant where an object has several. */
function leaves(
  node: Node,
  path: readonly string[],
  required = false,
  types: readonly string[] = [],
): readonly Setting[] {
  const variants = node.oneOf ?? [];
  const objects = node.properties === undefined ? variants : [node];
  if (objects.length === 0) return [leaf(node, path, required, types)];
  return objects.flatMap((object) => {
    const type = variants.length === 0 ? undefined : object.properties?.["type"]?.const;
    return Object.entries(object.properties ?? {}).flatMap(([name, child]) =>
      leaves(
        child,
        [...path, name],
        object.required?.includes(name),
        type === undefined ? types : [type],
      ),
    );
  });
}

/** The same setting of two types: what can be given on its own is whatever either takes. */
function both(a: Setting, b: Setting): Setting {
  return {
    ...b,
    type: a.type === b.type ? a.type : "string",
    description:
      a.description === b.description ? a.description : `${a.description} Or: ${b.description}`,
    allowed: [...new Set([...a.allowed, ...b.allowed])],
    default: a.default === b.default ? a.default : undefined,
    required: a.required || b.required,
    secret: a.secret || b.secret,
    types: [...a.types, ...b.types],
  };
}

function leaf(
  node: Node,
  path: readonly string[],
  required: boolean,
  types: readonly string[],
): Setting {
  const typed = node.anyOf?.find((n) => n.type !== "null") ?? node;
  const [type] = [typed.type ?? "string"].flat();
  const allowed = typed.enum ?? (typed.const === undefined ? [] : [typed.const]);
  return {
    path,
    type: typeOf(type),
    description: node.description ?? "",
    allowed,
    default: node.default === undefined ? undefined : JSON.stringify(node.default),
    required: required && node.default === undefined,
    secret: node.secret === true,
    types,
  };
}

function typeOf(type: string | undefined): Setting["type"] {
  if (type === "integer" || type === "number") return "number";
  return type === "boolean" || type === "object" ? type : "string";
}

/** Environment variable of a setting: `TAP_KNOWBE4_RATE_LIMIT_PER_MINUTE`. */
export function envName(setting: Pick<Setting, "path">): string {
  return `TAP_KNOWBE4_${setting.path.join("_").toUpperCase()}`;
}
