import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of this run of tests, for the program as it is installed. */
    readonly builds: string;
  }
}

/** One folder for all files of a run; the first test that needs the program builds it there. */
export function setup(project: TestProject): () => void {
  const builds = mkdtempSync(join(tmpdir(), "knowbe4-build-"));
  const clear = (): void => {
    rmSync(builds, { recursive: true, force: true });
  };
  project.provide("builds", builds);
  project.onTestsRerun(() => {
    clear();
  });
  return clear;
}
