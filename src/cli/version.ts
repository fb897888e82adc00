import { readFileSync } from "node:fs";

/** Version of this package, from the `package.json` that it was installed with. */
export function version(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      const text = readFileSync(new URL(up, import.meta.url), "utf8");
      const { version: found } = JSON.parse(text) as { readonly version?: string };
      if (found !== undefined) return found;
    } catch {
      // One of the two is where sources lie, the other where the build does.
    }
  }
  return "0.0.0";
}
