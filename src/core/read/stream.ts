import { ConnectorError } from "../errors.js";
import { forecast } from "../forecast.js";
import type { Gatherers } from "../gather.js";
import { readAllBelow, readChangedBelow, readDerived, readSinceBelow } from "./children.js";
import type { StreamReader } from "./context.js";
import { readListing, readSince } from "./listing.js";
import { readSlices } from "./slices.js";

/** Reads one stream in the way its declaration asks for. */
export async function readStream(reader: StreamReader, gathered: Gatherers): Promise<void> {
  const { def, emit } = reader.context.planned;
  plan(reader, gathered);
  const by = def.replication;
  // Read only for the sake of others: its rows are wanted, all of them, and nothing else.
  if (!emit) {
    await readListing(reader);
    return;
  }
  const parents = gathered.parents(def);
  if (by.mode === "incremental" && by.by === "slices") {
    const slices = required(gathered.slices(def), def.name);
    await readSlices(reader, slices, by);
  } else if (def.parent === undefined) {
    if (by.mode === "incremental" && by.by === "cursor") await readSince(reader, by);
    else await readListing(reader);
  } else if (by.mode === "full_table") {
    const memberships = gathered.memberships(def);
    const below = required(parents, def.name);
    if (def.derive !== undefined && memberships !== undefined) {
      await readDerived(reader, below, memberships, def.derive);
    } else await readAllBelow(reader, below);
  } else if (by.by === "cursor") await readSinceBelow(reader, parents, by);
  else await readChangedBelow(reader, required(parents, def.name));
}

/** Says what the stream will take, from what is known by now. */
function plan(reader: StreamReader, gathered: Gatherers): void {
  const { planned, settings, source, startedAt, emit, state } = reader.context;
  const { def, bookmark, derived } = planned;
  const parents = gathered.parents(def)?.list;
  const slices = gathered.slices(def)?.list.length;
  const { seats = null, paging } = source.memory;
  const known = { ...settings, paging, seats, bookmarks: state.bookmarks, now: startedAt };
  const { requests } = forecast(
    def,
    bookmark === null ? "first" : "next",
    {
      ...known,
      ...(parents === undefined ? {} : { parents }),
      ...(slices === undefined ? {} : { slices }),
    },
    derived,
  );
  emit({ type: "planned", stream: def.name, requests });
}

function required<T>(value: T | undefined, stream: string): T {
  if (value !== undefined) return value;
  throw new ConnectorError("internal", `${stream}: what it depends on was not gathered`);
}
