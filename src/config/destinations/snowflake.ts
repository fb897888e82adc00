import { z } from "zod";

import { COMMON, kind, SECRET, spoolDir, text } from "../parts.js";

const secret = (title: string, description: string) =>
  z
    .string()
    .min(1)
    .optional()
    .meta({ ...SECRET, title, description });

/** `destination` of type `snowflake`. */
export const snowflake = z
  .strictObject({
    type: kind("snowflake", "A schema in a Snowflake account; needs the package snowflake-sdk."),
    account: text("Account", "Account identifier, as myorg-myaccount."),
    user: text("User", "User to log in as."),
    role: text("Role", "Role to work in; the user's default role unless given.").optional(),
    warehouse: text("Warehouse", "Virtual warehouse that runs the statements."),
    database: text("Database", "Database that holds the schema; must exist."),
    schema: text("Schema", "Schema that holds the tables; made if it may be.").default("knowbe4"),
    private_key: secret("Private key", "RSA key of the user, in PEM form: the way to log in."),
    passphrase: secret("Passphrase", "What the private key is encrypted with, if it is."),
    token: secret("Token", "Programmatic access token or OAuth token, in place of a key."),
    token_type: z.enum(["programmatic", "oauth"]).default("programmatic").meta({
      title: "Kind of token",
      description: "What destination.token is.",
    }),
    password: secret("Password", "Only where nothing else is possible: Snowflake is ending it."),
    statement_timeout: z.int().min(1).max(86_400).default(900).meta({
      title: "Statement time-out",
      description: "Seconds that one statement may take.",
    }),
    access_url: text(
      "Address",
      "Another address of the service, on this machine: for tests.",
    ).optional(),
    ...COMMON,
    spool_dir: spoolDir(
      "in the working folder, named like account, database and schema, unless given",
    ),
  })
  .meta({ title: "Snowflake", description: "Tables in Snowflake." });
