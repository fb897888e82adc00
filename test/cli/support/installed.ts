import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import ts from "typescript";
import { inject } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");

/** As in the build: types are only erased, so every file stands for itself. */
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

/**
 * Folder of the program as npm lays it out: `package.json`, `dist`, `node_modules`. Made from the
 * sources as they are, once per run of tests; whoever is second takes what the first one made.
 */
export function installed(): string {
  const folder = join(inject("builds"), "program");
  if (existsSync(folder)) return folder;
  const draft = join(inject("builds"), String(process.pid));
  for (const path of sources()) {
    const target = builtAt(draft, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, built(path));
  }
  copyFileSync(join(ROOT, "package.json"), join(draft, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(draft, "node_modules"));
  execFileSync(process.execPath, [join(ROOT, "scripts/bundle.js")], { cwd: draft });
  try {
    renameSync(draft, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(draft, { recursive: true });
  }
  return folder;
}

/**
 * The same with files of the tests beside the program; the path of the first one, built. For
 * processes that a test starts.
 */
export function withTests(files: readonly URL[]): string {
  const folder = installed();
  const paths = files.map((file) => relative(ROOT, fileURLToPath(file)));
  for (const path of paths) {
    const target = builtAt(folder, path);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    const draft = `${target}.${String(process.pid)}`;
    writeFileSync(draft, built(path));
    renameSync(draft, target);
  }
  return builtAt(folder, paths[0] ?? "");
}

function builtAt(folder: string, path: string): string {
  return join(folder, "dist", path.replace(/ts$/, "js"));
}

function built(path: string): string {
  const source = readFileSync(join(ROOT, path), "utf8");
  return ts.transpileModule(source, { compilerOptions: OPTIONS }).outputText;
}

function sources(): readonly string[] {
  return ["src", "streams"].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(top, name)),
  );
}
