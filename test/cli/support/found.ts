import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import type { Spoil } from "./canary.js";

/** What canaries are looked for with, in all that a run has written. */

export const KEY = "a key for the hashes of the tests";
export const PRESETS = ["pseudonymous", "aggregate-only"] as const;
export type Preset = "full" | (typeof PRESETS)[number];

/** Columns of people that a preset keeps. */
export const KEPT: Readonly<Record<(typeof PRESETS)[number], RegExp>> = {
  pseudonymous:
    /^canary-users\.(job_title|location|division|organization|department)$|^1911-11-11$/,
  "aggregate-only": /^canary-users\.(location|division|organization|department)$/,
};

export function settings(url: string, preset: Preset, more: object = {}) {
  const privacy = { preset, ...(preset === "full" ? {} : { key: KEY }) };
  return { api_url: url, privacy, start_date: "2025-05-20", ...more };
}

/** Everything that was written below a folder, as bytes. */
export function bytesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && !/config\d+\.json$/.test(path))
    .map((path) => readFileSync(path, "latin1"))
    .join("\n");
}

/** Canaries in a text, each once, with the field that they stood in. */
export function found(text: string): readonly string[] {
  const words = text.match(/canary[\w.-]*|4711\d{12}|1911-11-11|203\.0\.113\.77/gi) ?? [];
  return [...new Set(words)].sort();
}

/** Those that a preset should have taken out. */
export const besides = (words: readonly string[], kept: RegExp) =>
  words.filter((w) => !kept.test(w));

/** Rows that do not fit, of every kind: of a wrong type, without a key, no object at all. */
export const spoiling: Spoil = (rows, { name }) => {
  if (name !== "users" && name !== "security_test_recipients") return rows;
  const [first = {}] = rows as Readonly<Record<string, unknown>>[];
  return [
    { ...first, id: null, recipient_id: null },
    { ...first, id: 1, phish_prone_percentage: "canary-wrong", user: "canary-user" },
    "canary-text",
    ...rows,
  ];
};
