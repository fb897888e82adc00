import { Memberships, Parents, Slices, type Collector } from "./collect.js";
import type { SyncPlan } from "./plan.js";
import { needs } from "./plan.js";
import type { StreamDef } from "./stream.js";

/** What the streams of a plan gather from one another, and which of them failed. */
export interface Gatherers {
  /** Collectors that want each raw item of this stream. */
  of(def: StreamDef): readonly Collector[];
  parents(child: StreamDef): Parents | undefined;
  memberships(child: StreamDef): Memberships | undefined;
  slices(child: StreamDef): Slices | undefined;
  /** Name of a stream that `def` needs and that failed. */
  brokenParent(def: StreamDef): string | undefined;
  markBroken(def: StreamDef): void;
}

/** Makes the collectors that the emitted streams of a plan need. */
export function gatherers(plan: SyncPlan): Gatherers {
  const collectors = new Map<string, Collector[]>();
  const parents = new Map<string, Parents>();
  const memberships = new Map<string, Memberships>();
  const slices = new Map<string, Slices>();
  const broken = new Set<string>();
  const attach = (to: StreamDef, collector: Collector): void => {
    collectors.set(to.name, [...(collectors.get(to.name) ?? []), collector]);
  };
  for (const { def, emit, derived, parents: parentsFrom } of plan.streams) {
    if (!emit) continue;
    if (def.parent !== undefined && parentsFrom === "listing") {
      const collector = new Parents(def, def.parent.stream, def.parent.bind);
      parents.set(def.name, collector);
      attach(def.parent.stream, collector);
    }
    if (def.derive !== undefined && derived) {
      const collector = new Memberships(def.derive);
      memberships.set(def.name, collector);
      attach(def.derive.stream, collector);
    }
    const by = def.replication;
    if (by.mode === "incremental" && by.by === "slices") {
      const fields = { key: by.param, status: by.status, end: by.end };
      const collector = new Slices(by.stream, fields, by.over);
      slices.set(def.name, collector);
      attach(by.stream, collector);
    }
  }
  const derived = new Map(plan.streams.map((s) => [s.def.name, s.derived]));
  return {
    of: (def) => collectors.get(def.name) ?? [],
    parents: (child) => parents.get(child.name),
    memberships: (child) => memberships.get(child.name),
    slices: (child) => slices.get(child.name),
    brokenParent: (def) =>
      needs(def, derived.get(def.name) === true).find((p) => broken.has(p.name))?.name,
    markBroken: (def) => {
      broken.add(def.name);
    },
  };
}
