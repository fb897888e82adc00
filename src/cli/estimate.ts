import type { Estimate } from "../loaders/warehouse.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** What a run would be billed, table by table; empty where nothing is known. */
export function billed(destination: string, estimates: readonly Estimate[]): string {
  if (estimates.length === 0) return "";
  const line = (what: string, compare: string, merge: string): string =>
    `${what.padEnd(28)} ${compare.padStart(12)} ${merge.padStart(12)}\n`;
  const sum = (of: (estimate: Estimate) => number): string =>
    size(estimates.reduce((all, each) => all + of(each), 0));
  return [
    `\nbytes that ${destination} would bill: for comparing rows, and at most for merging where some changed\n`,
    line("table", "comparing", "merging"),
    ...estimates.map(({ table, compare, merge }) => line(table, size(compare), size(merge))),
    line(
      "total",
      sum(({ compare }) => compare),
      sum(({ merge }) => merge),
    ),
    "\n",
  ].join("");
}

/** `12.5 MiB`. */
function size(bytes: number): string {
  const power = Math.min(
    UNITS.length - 1,
    Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)),
  );
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power === 0 ? 0 : 1)} ${UNITS[power] ?? "B"}`;
}
