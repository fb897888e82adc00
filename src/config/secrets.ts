import { readFileSync } from "node:fs";

import { isObject } from "../core/json.js";
import { merge, type Values } from "./merge.js";
import type { Setting } from "./settings.js";

/** Where a secret stands: the object that holds it, its own name there, and that of its file. */
interface Spot {
  /** Name of the group; undefined for a setting of the top level. */
  readonly group: string | undefined;
  readonly key: string;
  readonly fileKey: string;
  /** As messages call it. */
  readonly name: string;
}

function spotOf({ path }: Setting): Spot {
  const [head = "", leaf] = path;
  const key = leaf ?? head;
  return {
    group: leaf === undefined ? undefined : head,
    key,
    fileKey: `${key}_file`,
    name: path.join("."),
  };
}

function spots(all: readonly Setting[]): readonly Spot[] {
  return all.filter((s) => s.secret).map(spotOf);
}

function holderOf(values: Values, { group }: Spot): Values {
  if (group === undefined) return values;
  const held = values[group];
  return isObject(held) ? held : {};
}

/** The values with other ones in one group, or on the top level. */
function withHolder(values: Values, { group }: Spot, holder: Values): Values {
  return group === undefined ? holder : { ...values, [group]: holder };
}

function without(values: Values, key: string): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== key));
}

/** Puts one source over another. A secret and the file that holds it are the same setting. */
export function over(
  below: Values,
  above: Values,
  all: readonly Setting[],
  problems: string[],
): Values {
  let kept = below;
  for (const spot of spots(all)) {
    const given = holderOf(above, spot);
    const hasValue = spot.key in given;
    const hasFile = spot.fileKey in given;
    if (hasValue && hasFile) {
      problems.push(`config: ${spot.name} and ${spot.name}_file are both set: leave one out`);
    }
    const before = holderOf(kept, spot);
    const other = hasValue ? spot.fileKey : spot.key;
    if ((hasValue || hasFile) && other in before) {
      kept = withHolder(kept, spot, without(before, other));
    }
  }
  return merge(kept, above);
}

/** In place of a secret whose own problem has been told: it is not missing as well. */
const UNREAD = "unread";

/** `api_key_file` stands for the content of that file. */
export function readSecretFiles(
  values: Values,
  all: readonly Setting[],
  problems: string[],
): Values {
  let out = values;
  for (const spot of spots(all)) {
    const holder = holderOf(out, spot);
    const file = holder[spot.fileKey];
    if (file === undefined) continue;
    const value = contentOf(file, spot.name, problems);
    out = withHolder(out, spot, { ...without(holder, spot.fileKey), [spot.key]: value });
  }
  return out;
}

function contentOf(file: unknown, name: string, problems: string[]): string {
  if (typeof file !== "string") {
    problems.push(`config: ${name}_file is not text`);
    return UNREAD;
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    problems.push(`config: ${name}_file: the file cannot be read`);
    return UNREAD;
  }
}
