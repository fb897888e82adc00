import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { catalogText } from "../src/protocols/singer/catalog.js";
import { STREAMS } from "../streams/index.js";
import { errorsPage } from "./pages/errors.js";
import { meltanoPlugin } from "./pages/meltano.js";
import { settingsPage } from "./pages/settings.js";
import { specText } from "./pages/spec.js";
import { streamsPage } from "./pages/streams.js";

/** A committed file that is made from declarations. */
interface Generated {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly content: () => string;
}

/** Every generated file. */
const GENERATED: readonly Generated[] = [
  { file: "catalog.json", content: () => catalogText(STREAMS) },
  { file: "spec.json", content: specText },
  { file: "docs/streams.md", content: () => streamsPage(STREAMS) },
  { file: "docs/settings.md", content: settingsPage },
  { file: "docs/errors.md", content: errorsPage },
  { file: "integrations/meltano/tap-knowbe4.yml", content: meltanoPlugin },
];

function isCurrent({ file, content }: Generated): boolean {
  try {
    return readFileSync(pathOf(file), "utf8") === content();
  } catch {
    return false;
  }
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url));
}

const stale = GENERATED.filter((generated) => !isCurrent(generated));
if (process.argv.includes("--check")) {
  for (const { file } of stale) console.error(`${file} is not current: run npm run generate`);
  if (stale.length > 0) process.exitCode = 1;
} else {
  for (const { file, content } of stale) {
    writeFileSync(pathOf(file), content());
    console.log(`wrote ${file}`);
  }
}
