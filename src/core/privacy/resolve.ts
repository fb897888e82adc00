import { columnsOf, EXTRA, OBSERVED_AT, type Column } from "../columns.js";
import { automaticFields } from "../plan.js";
import type { StreamDef } from "../stream.js";
import { PRESET_RULES, type Action, type PrivacySettings } from "./rules.js";

/** A field of a stream and what becomes of it. */
export interface FieldRule {
  /** `user.email`. */
  readonly path: string;
  readonly column: Column;
  readonly action: Action;
  /** The setting that says so; null if the preset does. */
  readonly rule: string | null;
  /** Keys and cursors must stay what they are: different for different rows. */
  readonly isAutomatic: boolean;
}

interface Decision {
  readonly action: Action;
  readonly rule: string | null;
}

/**
 * What becomes of each field of a stream that has no members, in the order of its columns.
 *
 * A field's own rule wins over that of the object or list it stands in, that over its tag's, and
 * all of them over the preset. Without a tag of its own a field has the tag of what it stands in.
 */
export function fieldRules(def: StreamDef, settings: PrivacySettings): readonly FieldRule[] {
  const automatic = automaticFields(def);
  const visit = (
    columns: readonly Column[],
    prefix: string,
    above: { readonly rule: Decision | null; readonly tag: Column["pii"] },
  ): readonly FieldRule[] =>
    columns.flatMap((column): readonly FieldRule[] => {
      const path = prefix + column.name;
      const rule = ruleOf(settings, `${def.name}.${path}`) ?? above.rule;
      const tag = column.pii ?? above.tag;
      if (column.members !== undefined && column.members.length > 0) {
        return visit(column.members, `${path}.`, { rule, tag });
      }
      const said = rule ?? byTag(settings, `${def.name}.${path}`, tag);
      const isAutomatic = automatic.has(path);
      const action = said.rule === null && isAutomatic ? kept(said.action) : said.action;
      return [
        {
          path,
          column: tag === undefined ? column : { ...column, pii: tag },
          action,
          rule: said.rule,
          isAutomatic,
        },
      ];
    });
  const ours = new Set([EXTRA.name, OBSERVED_AT.name]);
  const declared = columnsOf(def).filter((c) => !ours.has(c.name));
  return visit(declared, "", { rule: null, tag: undefined });
}

function ruleOf({ rules }: PrivacySettings, name: string): Decision | null {
  return Object.hasOwn(rules, name) ? { action: rules[name] as Action, rule: name } : null;
}

function byTag(settings: PrivacySettings, name: string, tag: Column["pii"]): Decision {
  const { preset, rules } = settings;
  if (tag !== undefined && Object.hasOwn(rules, tag)) {
    return { action: rules[tag] as Action, rule: tag };
  }
  if (preset === "full") return { action: "keep", rule: null };
  const { columns, tags } = PRESET_RULES[preset];
  return { action: columns[name] ?? (tag === undefined ? "keep" : tags[tag]), rule: null };
}

/** A preset's action for a key: rows that cannot be told apart would replace one another. */
function kept(action: Action): Action {
  return action === "keep" ? "keep" : "hash";
}
