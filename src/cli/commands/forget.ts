import { readFileSync } from "node:fs";

import type { Command } from "commander";

import { ConnectorError } from "../../core/errors.js";
import type { Privacy } from "../../core/privacy/privacy.js";
import { requireSameRules } from "../../core/privacy/same.js";
import { tracesOf } from "../../core/privacy/traces.js";
import type { Forgetting, Forgotten } from "../../loaders/forget/forget.js";
import { isAnything } from "../../loaders/forget/forget.js";
import type { Wanted } from "../../loaders/forget/person.js";
import type { Loader } from "../../loaders/loader.js";
import { STREAMS } from "../../../streams/index.js";
import { textTable } from "../closing.js";
import { openDestination } from "../destination.js";
import { counted } from "../format.js";
import type { Io } from "../io.js";
import { privacyOf } from "../privacy.js";
import { logOf } from "../program.js";
import { configOf, withConfigFlags, type ConfigFlags } from "./common.js";

interface ForgetFlags extends ConfigFlags {
  readonly email?: string;
  readonly id?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `knowbe4 forget`: erases one person from the destination. */
export function addForget(program: Command, io: Io): void {
  withConfigFlags(program.command("forget"))
    .description(
      "erase one person from the destination: rows of all tables, rejected rows, spool and state",
    )
    .option("--email <address>", "whose e-mail address it is; - reads it from standard input")
    .option("--id <number>", "the person's id in KnowBe4; - reads it from standard input")
    .option("--dry-run", "count what there is, and erase nothing")
    .option("--yes", "erase it")
    .action(async (flags: ForgetFlags) => {
      await forget(io, flags);
    });
}

async function forget(io: Io, flags: ForgetFlags): Promise<void> {
  const config = configOf(io, flags, { withoutKey: true });
  const privacy = privacyOf(config);
  const log = logOf("knowbe4", io, flags);
  const wanted = wantedOf(flags, privacy);
  await using loader = await openDestination(config, {
    io,
    emit: (event) => {
      if (event.type === "warning") log.line("warning", event.message);
    },
  });
  if (!(await loader.exists())) {
    throw new ConnectorError("config", `destination ${loader.place}: does not exist`, {
      hint: "set destination to one that holds rows",
    });
  }
  await requireOurRules(loader, privacy);
  const streams = STREAMS.map((def) => tracesOf(def, privacy.of(def)?.seal ?? null));
  const request: Forgetting = { wanted, streams };
  const isMeant = flags.yes === true && flags.dryRun !== true;
  if (!isMeant && (await loader.hasWaiting())) {
    log.line(
      "warning",
      "rows of an earlier run wait in the spool; they are counted once committed",
    );
  }
  const found = isMeant ? await loader.forget(request) : await loader.find(request);
  io.stdout.write(`${tableOf(found)}\n`);
  if (!isAnything(found)) {
    log.line("info", `${loader.place} has nothing of this person`);
  } else if (isMeant) {
    log.line(
      "info",
      `erased from ${loader.place}; what KnowBe4 still has comes with the next sync`,
    );
  } else if (flags.dryRun !== true) {
    throw new ConnectorError("config", "forget: nothing was erased", {
      hint: "look at the counts, and run it again with --yes",
    });
  }
}

/** Nothing that was given is repeated: it is about a person. */
function wantedOf(flags: ForgetFlags, { hash }: Privacy): Wanted {
  const { email, id } = flags;
  if ((email === undefined) === (id === undefined)) {
    throw new ConnectorError("config", "forget: whom? Give either --email or --id");
  }
  if (flags.config?.includes("-") === true && (email ?? id) === "-") {
    throw new ConnectorError("config", "forget: standard input is the configuration already", {
      hint: "give the configuration as a file",
    });
  }
  const given = (email ?? id) === "-" ? readFileSync(0, "utf8") : (email ?? id ?? "");
  const text = given.trim().toLowerCase();
  if (email === undefined) {
    if (/^\d{1,19}$/.test(text)) return { id: text.replace(/^0+(?=\d)/, ""), email: null, hash };
    throw new ConnectorError("config", "forget: --id is not a number");
  }
  if (/^[^\s@]+@[^\s@]+$/.test(text)) return { id: null, email: text, hash };
  throw new ConnectorError("config", "forget: --email is not an address");
}

/** Under other rules the person would not be found, and it would look as if there were nothing. */
async function requireOurRules(loader: Loader, privacy: Privacy): Promise<void> {
  const { bookmarks } = await loader.readState();
  for (const def of STREAMS) requireSameRules(def, bookmarks[def.name] ?? null, privacy.of(def));
}

function tableOf({ tables, bookmarks }: Forgotten): string {
  const head = ["table", "rows", "named in others"];
  const rows = tables.map(({ table, rows: theirs, mentions }) => [
    table,
    theirs === null ? "names nobody" : counted(theirs, "row"),
    mentions === 0 ? "" : counted(mentions, "row"),
  ]);
  return textTable(head, [...rows, ["_kb4_state", counted(bookmarks, "bookmark"), ""]]);
}
