import { ConnectorError } from "../../core/errors.js";
import { diskFault } from "../spool.js";

/**
 * Does something in the folder.
 *
 * @throws ConnectorError `destination`, saying what the disk has against it.
 */
export async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    const { code, reason, isFull } = diskFault(error);
    throw new ConnectorError("destination", `destination ${folder}: ${reason}`, {
      hint: isFull
        ? "make room and run again: rows that were read wait in the spool"
        : "set destination.path to a folder that can be written",
      context: { code },
      cause: error,
    });
  }
}
