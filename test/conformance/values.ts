import type { ColumnType } from "../../src/core/fields.js";
import type { Json } from "../../src/core/json.js";
import type { Row } from "../../src/core/record.js";

type Types = Readonly<Record<string, ColumnType>>;
const of = (...values: readonly Json[]): readonly Row[] => values.map((v) => ({ v }));

/** Columns, and rows of values that every sink hands on as they are. */
export const VALUES: readonly (readonly [string, Types, ...Row[]])[] = [
  [
    "integers beyond 2^53",
    { v: "integer" },
    ...of(2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 0, -1),
  ],
  ["numbers", { v: "number" }, ...of(0.1, -1e-7, 1e21, 5, 1.7976931348623157e308)],
  [
    "text with NUL, line ends and every plane",
    { v: "string" },
    ...of("a\u0000b", "\u2028\u2029\u0085", "\r\n\t\\\"'", "🦊 e\u0301 ש\u202e", "x\ufeff"),
  ],
  ["text that looks like something else", { v: "string" }, ...of("", " ", "null", "1", "{}", "''")],
  ["flags", { v: "boolean" }, ...of(true, false)],
  ["days", { v: "date" }, ...of("2024-02-29", "1000-01-01", "9999-12-31")],
  [
    "instants",
    { v: "timestamp" },
    ...of("2024-02-29T23:59:59.999Z", "1000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.000Z"),
  ],
  [
    "JSON of any shape",
    { v: "json" },
    ...of({ a: [1, { b: null }], "": "x", "k'\"": "\u2028🦊" }, [], {}, [null], "text", 1.5, true),
  ],
  ["long integers in JSON", { v: "json" }, ...of([2n ** 53n + 1n], { n: -(2n ** 63n) })],
  ["integers beyond 64 bits in JSON", { v: "json" }, ...of({ n: 2n ** 80n })],
  [
    "null in every column",
    { a: "string", b: "integer", c: "number", d: "boolean", e: "date", f: "timestamp", g: "json" },
    { a: null, b: null, c: null, d: null, e: null, f: null, g: null },
  ],
];
