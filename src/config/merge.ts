import { isObject } from "../core/json.js";

/** Settings as they came from a source. */
export type Values = Readonly<Record<string, unknown>>;

/** Objects are merged one level deep, so that one file may set a limit and another the next. */
export function merge(below: Values, above: Values): Values {
  const out = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const before = out.get(key);
    out.set(key, isObject(before) && isObject(value) ? { ...before, ...value } : value);
  }
  return Object.fromEntries(out);
}
