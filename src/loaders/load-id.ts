import type { Clock } from "../core/clock.js";

/** What an id is made of. */
interface Sources {
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

/**
 * Id of a load. Sorts by time within a run and between runs; the random tail keeps two machines
 * apart.
 *
 * @param count of the process's loads.
 */
export function newLoadId({ clock, random }: Sources, count: number): string {
  const time = clock.now().toString(36).padStart(9, "0");
  const tail = Math.floor(random() * 36 ** 6)
    .toString(36)
    .padStart(6, "0");
  return `${time}${count.toString(36).padStart(4, "0")}${tail}`;
}
