import type { Json, Row } from "../account/json.js";
import type { StreamName } from "../account/streams.js";

/** What takes the place of a whole answer, or is done to it on its way. */
export type AnswerFault =
  /** Any status; the body is a JSON message unless given. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** A page for people instead of JSON: maintenance, a portal, a proxy. */
  | { readonly kind: "html"; readonly status?: number }
  /** This text as JSON at status 200: `{}`, `null`, `42`, `{"message": …}`. */
  | { readonly kind: "json"; readonly body: string }
  | { readonly kind: "redirect"; readonly to: string; readonly status?: number }
  /** The connection is reset: before anything was sent, or halfway through the body. */
  | { readonly kind: "reset"; readonly when: "beforeHeaders" | "midBody" }
  /** Half a body. `matching`: Content-Length is that half's; `whole`: it promises the rest. */
  | { readonly kind: "truncate"; readonly length: "matching" | "whole" }
  /** `claimed`: the header says gzip and the body is plain; `hidden`: the other way round. */
  | { readonly kind: "gzip"; readonly lie: "claimed" | "hidden" }
  | { readonly kind: "slow"; readonly bytesPerSecond: number }
  /** Nothing comes after the headers, or after half the body, until the client goes. */
  | { readonly kind: "stall"; readonly after: "headers" | "half" }
  | { readonly kind: "delay"; readonly ms: number };

/** What goes wrong in cutting a list into pages. */
export type PagingFault =
  /** Every page is the first. */
  | { readonly kind: "ignorePage" }
  /** Cursors are ignored: the first page, and no next cursor. */
  | { readonly kind: "ignoreCursor" }
  /** The page before is given again. */
  | { readonly kind: "repeatPage" }
  /** The next cursor is the one that was sent, or that of the first page. */
  | { readonly kind: "repeatCursor" }
  /** So few rows on this page; the others come on the next one, for all later requests. */
  | { readonly kind: "shortPage"; readonly rows: number }
  /** `per_page` is lowered without saying so. */
  | { readonly kind: "capPerPage"; readonly rows: number }
  /** After this page, a row at the start of the list is deleted or inserted, for all later requests. */
  | { readonly kind: "drift"; readonly change: "delete" | "insert" }
  /** No rows at all, as in an empty account. */
  | { readonly kind: "empty" };

/** A value for a field: any JSON, text that is no JSON value of ours, or very much text. */
export type FieldValue =
  | { readonly json: Json }
  /** Written as it is: `9007199254740993`, `1e309`, `-0`. */
  | { readonly raw: string }
  | { readonly megabytes: number };

/** What is wrong with rows. `field` may have dots: `user.first_name`. `rows` is `first` if left out. */
export type RowFault =
  | {
      readonly kind: "field";
      readonly field: string;
      readonly value: FieldValue;
      readonly rows?: "first" | "all";
    }
  | { readonly kind: "omit"; readonly field: string; readonly rows?: "first" | "all" }
  | {
      readonly kind: "rename";
      readonly field: string;
      readonly to: string;
      readonly rows?: "first" | "all";
    }
  /** The first row comes again at the end of its page, with these fields changed. */
  | { readonly kind: "duplicate"; readonly with?: Row };

export type Fault = AnswerFault | PagingFault | RowFault;

/** Which requests a fault is for; whatever is left out matches all. */
export interface FaultMatch {
  /** The whole path, or a pattern that it contains. */
  readonly path?: string | RegExp;
  readonly stream?: StreamName;
  /** Page of the list, from 1, whichever way it was asked for. */
  readonly page?: number;
  /** The how-manieth of the requests that match otherwise, from 1, and those after it. */
  readonly nth?: number;
}

export interface FaultRule {
  readonly match: FaultMatch;
  /** How many requests it happens to: 1 if left out; `Infinity` for all. */
  readonly times?: number;
  readonly fault: Fault;
}

/** Values that have broken somebody's program. */
export const HOSTILE = {
  nul: { json: "Ada\u0000Lovelace" },
  loneSurrogate: { json: "Ada\ud800Lovelace" },
  emoji: { json: "Ada 👩‍💻🇬🇧" },
  rightToLeft: { json: "\u202eأدا لوفلايس" },
  lineBreaks: { json: "one\r\ntwo\u2028three" },
  beyondDouble: { raw: "9007199254740993" },
  infinite: { raw: "1e309" },
  minusZero: { raw: "-0" },
  noDate: { json: "0000-00-00" },
  emptyDate: { json: "" },
  farDate: { json: "12026-06-01T00:00:00.000Z" },
  localDate: { json: "2026-06-01T09:00:00" },
  americanDate: { json: "06/01/2026 9:00 AM" },
} as const satisfies Readonly<Record<string, FieldValue>>;
