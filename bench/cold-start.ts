import { SOURCE, TAP } from "./support/programs.js";
import type { Figure } from "./support/report.js";
import { startUp } from "./support/start-up.js";

/** What the commands take that a platform waits for. */
export async function coldStart(): Promise<readonly Figure[]> {
  return [
    ...(await startUp("tap-knowbe4 --discover", [TAP, "--discover"])),
    ...(await startUp("source-knowbe4 spec", [SOURCE, "spec"])),
  ];
}
