/** One line of the results. */
export interface Figure {
  readonly what: string;
  /** As it is shown, with its unit and how far the runs were apart. */
  readonly measured: string;
  /** As it is shown; absent where there is none. */
  readonly target?: string;
  readonly isMet?: boolean;
}

/** Several runs of the same. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @throws RangeError for no values. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [least] = sorted;
  const most = sorted.at(-1);
  const [low, high] = [(sorted.length - 1) >> 1, sorted.length >> 1].map((i) => sorted[i]);
  if (least === undefined || most === undefined || low === undefined || high === undefined) {
    throw new RangeError("nothing was measured");
  }
  return { median: (low + high) / 2, least, most };
}

/** `0.93 (0.87 to 1.02)`. */
export function shown({ median, least, most }: Spread, digits: number, unit = ""): string {
  const text = (value: number) =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text(median)}${unit} (${text(least)} to ${text(most)})`;
}

/** The results as a table in Markdown, columns as wide as the formatter makes them. */
export function markdownTable(figures: readonly Figure[]): string {
  const rows = [
    ["What", "Measured", "Target", "Met"],
    ...figures.map(({ what, measured, target = "", isMet }) => [
      what,
      measured,
      target,
      isMet === undefined ? "" : isMet ? "yes" : "no",
    ]),
  ];
  const [head = []] = rows;
  const widths = head.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const [titles = "", ...others] = rows.map((row) =>
    line(row.map((cell, i) => cell.padEnd(widths[i] ?? 0))),
  );
  return [titles, line(widths.map((width) => "-".repeat(width))), ...others].join("\n");
}
