import { InvalidArgumentError } from "commander";

import { grouped } from "./format.js";

/** Readers of a flag's value. What they refuse is told with the flag's name, on one line. */

/** One of some words. */
export function oneOf<T extends string>(allowed: readonly T[]): (value: string) => T {
  return (value) => {
    const found = allowed.find((a) => a === value);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`Must be one of ${allowed.join(", ")}.`);
  };
}

/** A whole number between two others, or one of them. */
export function wholeNumber(min: number, max: number): (value: string) => number {
  return (value) => {
    const n = Number(value);
    if (/^\d+$/.test(value) && n >= min && n <= max) return n;
    throw new InvalidArgumentError(
      `Must be a whole number from ${grouped(min)} to ${grouped(max)}.`,
    );
  };
}

/** A day of the calendar. */
export function day(value: string): string {
  const at = /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(value) : NaN;
  if (!Number.isNaN(at) && new Date(at).toISOString().startsWith(value)) return value;
  throw new InvalidArgumentError("Must be a day, as 2026-06-01.");
}

/** A file's name. */
export function fileName(value: string): string {
  if (value !== "") return value;
  throw new InvalidArgumentError("Must be a file's name.");
}
