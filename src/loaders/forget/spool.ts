import { rm } from "node:fs/promises";
import { join } from "node:path";

import { ConnectorError } from "../../core/errors.js";
import { loadsIn } from "../manifest.js";
import { onDisk } from "../spool.js";

/**
 * Makes sure that no rows wait in a spool that this process holds, and removes what was about to be
 * sent when a run was killed.
 *
 * @throws ConnectorError `destination` if rows of another pipeline wait.
 */
export async function clearSpool(spoolDir: string): Promise<void> {
  if ((await loadsIn(spoolDir)).length > 0) {
    throw new ConnectorError(
      "destination",
      "destination: spool folder: rows of another pipeline wait in it",
      { hint: "run that one again, so that they are committed; nothing was erased" },
    );
  }
  await onDisk(() => rm(join(spoolDir, "tmp"), { recursive: true, force: true }));
}
