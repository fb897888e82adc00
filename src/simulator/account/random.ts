/**
 * Chance as a function: the same numbers in, the same number out, in any order and any process.
 * A row of the account is therefore computed when it is asked for, and never stored.
 */

/** What a draw is for; two draws of the same entity must not be the same number. */
export const DRAW = {
  person: 1,
  email: 2,
  manager: 3,
  test: 4,
  recipient: 5,
  campaign: 6,
  enrollment: 7,
  risk: 8,
  account: 9,
  victim: 10,
} as const;

/** Mixes four integers into one of 32 bits. */
export function mix(seed: number, draw: number, a: number, b = 0): number {
  return scramble(scramble(scramble(scramble(seed | 0) ^ draw) ^ a) ^ b);
}

/** The `n`th number, from 0 up to but not including 1, of a chain that starts at a mixed `base`. */
export function unit(base: number, n: number): number {
  return scramble(base + Math.imul(n, 0x9e3779b9)) / 4_294_967_296;
}

/** The `n`th whole number of a chain, from 0 up to but not including `limit`. */
export function below(limit: number, base: number, n: number): number {
  return Math.floor(unit(base, n) * limit);
}

/** One of a list. @throws RangeError if the list is empty. */
export function pick<T>(list: readonly T[], base: number, n: number): T {
  return at(list, below(list.length, base, n));
}

/** One of a list whose members say how much they weigh. */
export function pickWeighted<T extends { readonly weight: number }>(
  list: readonly T[],
  base: number,
  n: number,
): T {
  const total = list.reduce((sum, { weight }) => sum + weight, 0);
  let left = unit(base, n) * total;
  for (const entry of list) {
    left -= entry.weight;
    if (left < 0) return entry;
  }
  return at(list, list.length - 1);
}

/** How long until something happens that happens on average after `mean`; same unit. */
export function waiting(mean: number, base: number, n: number): number {
  return -Math.log(1 - unit(base, n)) * mean;
}

/** The entry of a list, counted round and round. @throws RangeError if the list is empty. */
export function at<T>(list: readonly T[], index: number): T {
  const entry = list[index % list.length];
  if (entry === undefined) throw new RangeError(`no entry ${index} in a list of ${list.length}`);
  return entry;
}

/** A bijection of 32 bits with low bias. Source: "lowbias32", nullprogram.com, 2018. */
function scramble(value: number): number {
  let x = (value + 0x6d2b79f5) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
