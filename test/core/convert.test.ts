import { expect, test } from "vitest";

import type { ColumnType } from "../../src/core/fields.js";
import { converter } from "../../src/core/convert.js";

/** Coercions of single values: only where nothing is lost. */

const convert = (type: Exclude<ColumnType, "json">) =>
  converter({ name: "x", type, nullable: true, description: "" });

test.each<[unknown, unknown]>([
  [5, 5],
  ["5", 5],
  ["-5", -5],
  ["007", 7],
  [5.0, 5],
  [2 ** 53 - 1, 9007199254740991],
  ["9007199254740991", 9007199254740991],
  ["9007199254740993", 9007199254740993n],
  [9007199254740993n, 9007199254740993n],
  [12n, 12],
  ["9223372036854775807", 9223372036854775807n],
  ["-9223372036854775808", -9223372036854775808n],
])("the integer %o is %o", (value, expected) => {
  expect(convert("integer")(value)).toBe(expected);
});

test.each<[unknown]>([
  ["9223372036854775808"],
  [-9223372036854775809n],
  [2 ** 53], // a double that may have been rounded
  [1e309],
  [Number.NaN],
  [1.5],
  ["1e3"],
  [" 5"],
  ["5\n"],
  ["0x10"],
  ["٣"],
  [true],
  [{}],
])("%o is not an integer", (value) => {
  expect(convert("integer")(value)).toBeUndefined();
});

test.each<[unknown, unknown]>([
  [0.1, 0.1],
  ["14.235", 14.235],
  ["-1.5e-3", -0.0015],
  [10n ** 20n, 10n ** 20n],
])("the number %o is %o", (value, expected) => {
  expect(convert("number")(value)).toBe(expected);
});

test.each<[unknown]>([
  [1e309],
  ["1e309"],
  [10n ** 400n],
  [Number.NaN],
  ["NaN"],
  ["Infinity"],
  ["1,5"],
  [".5"],
  [true],
  [[1]],
])("%s is not a number", (value) => {
  expect(convert("number")(value)).toBeUndefined();
});

test("minus zero is zero: JSON writes both alike, and so does every destination", () => {
  expect(convert("integer")(-0)).toBe(0);
  expect(convert("number")(-0)).toBe(0);
  expect(convert("string")(-0)).toBe("0");
});

test.each<[unknown, unknown]>([
  ["", ""],
  [" padded ", " padded "],
  [5, "5"],
  [0.1, "0.1"],
  [10n ** 30n, "1000000000000000000000000000000"],
  [false, "false"],
  ["a\u0000b", "a\u0000b"],
  ["👩‍🚀 שלום\r\n", "👩‍🚀 שלום\r\n"],
  ["\ud83d alone", "\ufffd alone"],
  ["alone \ude00", "alone \ufffd"],
])("the text %o is %o", (value, expected) => {
  expect(convert("string")(value)).toBe(expected);
});

test.each<[unknown]>([[{}], [[]], [1e309], [Number.NaN]])("%o is not text", (value) => {
  expect(convert("string")(value)).toBeUndefined();
});

test.each<[unknown, unknown]>([
  [true, true],
  ["true", true],
  ["false", false],
  ["True", undefined],
  [1, undefined],
  [0, undefined],
  ["", undefined],
])("the boolean %o is %o", (value, expected) => {
  expect(convert("boolean")(value)).toBe(expected);
});

test.each([
  ["2021-10-19T19:16:09.000Z", "2021-10-19T19:16:09.000Z"],
  ["2021-10-31T19:16:09.000Z", "2021-10-31T19:16:09.000Z"],
  ["2021-10-19T19:16:09Z", "2021-10-19T19:16:09.000Z"],
  ["2021-10-19T19:16:09", "2021-10-19T19:16:09.000Z"], // no zone is UTC
  ["2021-10-19 19:16", "2021-10-19T19:16:00.000Z"],
  ["2021-10-19 19:16:09 +0200", "2021-10-19T17:16:09.000Z"],
  ["2021-10-19T19:16:09.123456-05:30", "2021-10-20T00:46:09.123Z"],
  ["2021-10-19T19:16:09.1z", "2021-10-19T19:16:09.100Z"],
  ["2021-10-19", "2021-10-19T00:00:00.000Z"],
  ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
  ["2021-03-28T02:30:00", "2021-03-28T02:30:00.000Z"], // a gap in some zones, not in UTC
  ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
  ["1000-01-01T00:00:00Z", "1000-01-01T00:00:00.000Z"],
])("the instant %s is %s", (value, expected) => {
  expect(convert("timestamp")(value)).toBe(expected);
});

test.each([
  [""],
  ["0000-00-00 00:00:00"],
  ["2026-02-30T00:00:00Z"],
  ["2025-02-29"],
  ["2026-13-01"],
  ["2026-01-01T25:00:00Z"],
  ["2026-01-01T23:60:00Z"],
  ["2016-12-31T23:59:60Z"], // a leap second: kept raw, never moved
  ["9999-12-31T23:59:59-01:00"], // year 10000 in UTC
  ["1000-01-01T00:00:00+01:00"], // year 999 in UTC
  ["10000-01-01T00:00:00Z"],
  ["19.10.2021"],
  ["10/19/2021"],
  ["Tue, 19 Oct 2021 19:16:09 GMT"],
  ["1634670969"],
])("%o is not an instant", (value) => {
  expect(convert("timestamp")(value)).toBeUndefined();
});

test.each<[unknown]>([[1634670969], [null], [{}], [new Date(0)]])(
  "%o is not an instant: only text is",
  (value) => {
    expect(convert("timestamp")(value)).toBeUndefined();
  },
);

test.each([
  ["1986-11-26", "1986-11-26"],
  ["1986-11-26T00:00:00.000Z", "1986-11-26"],
  ["1986-11-26T23:30:00-05:00", "1986-11-26"], // the day as it is written
  ["9999-12-31", "9999-12-31"],
])("the day %s is %s", (value, expected) => {
  expect(convert("date")(value)).toBe(expected);
});

test.each([
  [""],
  ["0000-00-00"],
  ["2026-02-30"],
  ["26.11.1986"],
  ["1986-11"],
  ["1986-11-26T99:99"],
])("%o is not a day", (value) => {
  expect(convert("date")(value)).toBeUndefined();
});
