import { DRAW, mix } from "./random.js";

/** A random-looking UUID, version 4, that belongs to a number. */
export function guid(seed: number, n: number): string {
  const hex = [1, 2, 3, 4]
    .map((part) => mix(seed, DRAW.account, n, part).toString(16).padStart(8, "0"))
    .join("");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
  return [...parts, `a${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}
