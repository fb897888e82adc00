import type { StreamName } from "../account/streams.js";
import type { Fault, FaultRule } from "./fault.js";

/** What is known of a request when its faults are chosen. */
export interface FaultSubject {
  readonly path: string;
  readonly stream: StreamName | null;
  /** From 1; 1 for what has no pages. */
  readonly page: number;
}

/** Rules that are in force, and how often each has come up. */
export class FaultBook {
  #rules: { readonly rule: FaultRule; seen: number; left: number }[] = [];

  constructor(rules: readonly FaultRule[]) {
    for (const rule of rules) this.add(rule);
  }

  add(rule: FaultRule): void {
    this.#rules.push({ rule, seen: 0, left: rule.times ?? 1 });
  }

  clear(): void {
    this.#rules = [];
  }

  /** Faults of this request, in the order in which their rules were added. Each counts as used. */
  take(subject: FaultSubject): readonly Fault[] {
    const faults: Fault[] = [];
    for (const entry of this.#rules) {
      if (!matches(entry.rule, subject)) continue;
      entry.seen++;
      if (entry.seen < (entry.rule.match.nth ?? 1) || entry.left <= 0) continue;
      entry.left--;
      faults.push(entry.rule.fault);
    }
    return faults;
  }
}

function matches({ match }: FaultRule, { path, stream, page }: FaultSubject): boolean {
  if (match.stream !== undefined && match.stream !== stream) return false;
  if (match.page !== undefined && match.page !== page) return false;
  if (match.path === undefined) return true;
  return typeof match.path === "string" ? match.path === path : path.search(match.path) !== -1;
}
