import { loadDriver } from "../driver.js";

/** What is used of `snowflake-sdk`, so that nobody needs it installed for its types. */
export interface Driver {
  configure(options: { readonly logLevel: "OFF"; readonly additionalLogToConsole: false }): void;
  createConnection(options: Readonly<Record<string, unknown>>): DriverConnection;
}

/** A connection, by callbacks as the driver has it. */
export interface DriverConnection {
  connectAsync(callback: (error: Error | null | undefined) => void): Promise<unknown>;
  execute(options: {
    readonly sqlText: string;
    readonly parameters: Readonly<Record<string, string>>;
    complete(
      error: Error | undefined,
      statement: DriverStatement,
      rows: readonly Readonly<Record<string, unknown>>[] | undefined,
    ): void;
  }): DriverStatement;
  destroy(callback: (error: Error | undefined) => void): void;
}

/** A statement that runs, or ran. */
export interface DriverStatement {
  /** Rows that it changed; -1 or undefined for what changes none. */
  getNumUpdatedRows(): number | undefined;
  cancel(callback: () => void): void;
}

/**
 * Loads the driver, quietly. Left alone it asks the network at import which cloud it is in, sends
 * telemetry, and writes a log with hosts and users to the console and into the working folder.
 *
 * @throws ConnectorError `config` if it is not installed.
 */
export async function loadSnowflake(): Promise<Driver> {
  process.env["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] ??= "true";
  process.env["SF_TELEMETRY_DISABLE_CONNECTION_SHAPE"] ??= "1";
  process.env["SNOWFLAKE_DISABLE_MINICORE"] ??= "1";
  const { default: sdk } = await loadDriver(
    "snowflake",
    ["snowflake-sdk@~3.3.0"],
    () => import("snowflake-sdk"),
  );
  const driver = sdk as unknown as Driver;
  driver.configure({ logLevel: "OFF", additionalLogToConsole: false });
  return driver;
}
