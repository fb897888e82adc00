import Table from "cli-table3";

import { duration, grouped } from "./format.js";
import type { StreamTally, Tally } from "./tally.js";

/** The table that ends a run: rows, requests as planned and as made, retries and time per stream, and their sums. */
export function closingTable(tally: Tally, tookMs: number): string {
  const streams = [...tally.streams.values()].filter((s) => s.status !== "waiting");
  const rejects = streams.some((s) => s.rejected > 0);
  const cells = (s: Omit<StreamTally, "status" | "startedMs" | "stream">, time: string) => [
    grouped(s.rows),
    ...(rejects ? [grouped(s.rejected)] : []),
    grouped(s.planned),
    grouped(s.requests),
    grouped(s.retries),
    time,
  ];
  const table = newTable([
    "stream",
    "rows",
    ...(rejects ? ["rejected"] : []),
    "planned",
    "requests",
    "retries",
    "time",
    "",
  ]);
  for (const s of streams) table.push([s.stream, ...cells(s, duration(s.tookMs)), s.status]);
  const total = { ...tally.total(), tookMs };
  table.push(["total", ...cells(total, duration(tookMs)), ""]);
  return table.toString();
}

/** A table of text, first column left, numbers right. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const table = newTable(head, rows[0]);
  for (const row of rows) {
    table.push(row.map((cell) => (typeof cell === "number" ? grouped(cell) : cell)));
  }
  return table.toString();
}

const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

function newTable(head: readonly string[], sample?: readonly (string | number)[]): Table.Table {
  return new Table({
    head: [...head],
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: head.map((title, i) => {
      const isNumber = sample === undefined ? i > 0 && title !== "" : typeof sample[i] === "number";
      return isNumber ? "right" : "left";
    }),
  });
}
