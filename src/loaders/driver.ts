import { ConnectorError } from "../core/errors.js";

/**
 * Loads a warehouse's driver, which not every installation has.
 *
 * @param type the destination's, for messages.
 * @param packages what to install, as npm takes it: `@google-cloud/bigquery@^8.3.1`.
 * @throws ConnectorError `config` if it is not installed.
 */
export async function loadDriver<T>(
  type: string,
  packages: readonly string[],
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ERR_MODULE_NOT_FOUND") throw error;
    const names = packages.map((p) => p.replace(/(?<=.)@.*$/, "")).join(" and ");
    throw new ConnectorError(
      "config",
      `destination.type ${type}: the driver ${names} is not installed`,
      { hint: `npm install ${packages.join(" ")}`, cause: error },
    );
  }
}
