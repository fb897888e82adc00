import { plot } from "simple-ascii-chart";

import { textTable } from "../closing.js";
import type { Question } from "./questions.js";

/** Rows of an answer, in the order of the query's columns. */
export type Answer = readonly Readonly<Record<string, unknown>>[];

/** An answer as text: a small table, or a curve. */
export function answerText(question: Question, rows: Answer): string {
  if (rows.length === 0) return "(no rows)";
  return question.chart === true ? chart(rows) : table(rows);
}

function table(rows: Answer): string {
  const head = Object.keys(rows[0] ?? {});
  return textTable(
    head,
    rows.map((row) => head.map((name) => cell(row[name]))),
  );
}

/** DuckDB's counts arrive as bigint. */
function cell(value: unknown): string | number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" ? value : "";
}

function chart(rows: Answer): string {
  const [x = "", y = ""] = Object.keys(rows[0] ?? {});
  const points = rows
    .toReversed()
    .map((row) => ({ label: String(cell(row[x])), at: Number(cell(row[y])) }));
  const text = plot(
    points.map((point, i): [number, number] => [i, point.at]),
    {
      width: 60,
      height: 9,
      formatter: (n, { axis }) => (axis === "x" ? (points[n]?.label ?? "") : n.toFixed(1)),
    },
  );
  return text.replace(/^\n+|\s+$/g, "");
}
