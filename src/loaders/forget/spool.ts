import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { ConnectorError } from "../../core/errors.js";
import { loadsIn } from "../manifest.js";
import { onDisk } from "../spool.js";

/** Whether rows of an earlier run wait in a spool. */
export async function isWaiting(spoolDir: string): Promise<boolean> {
  return existsSync(spoolDir) && (await loadsIn(spoolDir)).length > 0;
}

/**
 * Makes sure that no rows wait in a spool that this process holds, and removes what was about to be
 * sent when a run was killed.
 *
 * @throws ConnectorError `destination` if rows of another pipeline wait.
 */
export async function clearSpool(spoolDir: string): Promise<void> {
  if (await isWaiting(spoolDir)) {
    throw new ConnectorError(
      "destination",
      "destination: spool folder: rows of another pipeline wait in it",
      { hint: "run that one again, so that they are committed; nothing was erased" },
    );
  }
  await onDisk(() => rm(join(spoolDir, "tmp"), { recursive: true, force: true }));
}
