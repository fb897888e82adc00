import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

import { installed } from "./installed.js";

const ROOT = join(import.meta.dirname, "../../..");

/** `knowbe4` beside what `npm install --omit=optional` brings, by the lock file. */
export function withoutOptional(cwd: string): string {
  const slim = join(cwd, "slim");
  cpSync(join(installed(), "dist"), join(slim, "dist"), { recursive: true });
  cpSync(join(ROOT, "package.json"), join(slim, "package.json"));
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: true; readonly optional?: true }>>;
  };
  for (const [path, { dev, optional }] of Object.entries(lock.packages)) {
    const isDriver = optional === true && !path.includes("@duckdb");
    if (!/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || dev === true || isDriver) continue;
    mkdirSync(dirname(join(slim, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(slim, path));
  }
  return join(slim, "dist/bin/knowbe4.js");
}
