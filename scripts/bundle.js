import { readFileSync } from "node:fs";

import { rolldown } from "rolldown";

/*
 * Makes of the programs in dist/src/cli the ones that are shipped, dist/bin. Works in the folder in
 * which it is called.
 *
 * A program that is one of two hundred files spends more time on finding and opening them than on
 * its work: bundled, `tap-knowbe4 --discover` takes two thirds of it. Zod goes in too, for it is
 * half of those files. All other packages stay outside, where npm keeps them up to date.
 */

const ZOD = "/node_modules/zod/";
const zodLicence = readFileSync(new URL(`..${ZOD}LICENSE`, import.meta.url), "utf8").trim();

const bundle = await rolldown({
  input: ["knowbe4", "tap-knowbe4", "source-knowbe4"].map((bin) => `dist/src/cli/${bin}.js`),
  platform: "node",
  external: (id) => /^[@a-z]/.test(id) && !/^zod(\/|$)/.test(id),
});
await bundle.write({
  dir: "dist/bin",
  format: "esm",
  cleanDir: true,
  chunkFileNames: "chunks/[name]-[hash].js",
  banner: ({ moduleIds }) =>
    moduleIds.some((id) => id.includes(ZOD)) ? `/*! zod\n\n${zodLicence}\n*/` : "",
});
await bundle.close();
