import type { ErrorContext } from "../core/errors.js";
import { isObject, textOf, type Json, type JsonObject } from "../core/json.js";
import { KEY_HINT } from "./classify.js";
import { Fault } from "./fault.js";

/** What a body must hold: a list of rows, or one object. */
export type Shape = "rows" | "object";

/** The content of a body that has the shape asked for. */
export interface Content {
  readonly items: readonly unknown[];
  /** `pagination.next_cursor`, if the body has one. */
  readonly nextCursor: string | null;
}

/** Words in which servers say that they do not know the key. */
const TOKEN_WORDS = /\b(?:token|api.?key|unauthori[sz]ed|authenticat\w*|credentials?)\b/i;

/**
 * The rows of a body: `[…]`, or `{data: […], pagination: {next_cursor}}`; of an object also `[{…}]`.
 *
 * Anything else is not "no rows". It has been seen that a refused key is answered with status 200
 * and `{"message": "Invalid Token"}`.
 *
 * @param handedOn rows of `data` that were taken out of the body before.
 * @throws Fault `auth` or `api_contract`. It does not quote the body.
 */
export function contentOf(
  body: unknown,
  shape: Shape,
  context: ErrorContext,
  handedOn = 0,
): Content {
  if (shape === "rows") {
    if (Array.isArray(body)) return { items: body, nextCursor: null };
    if (!isObject(body)) throw unexpected(nameOf(body), "a list", context);
    const { data } = body;
    if (!Array.isArray(data)) throw complaint(body, "a list", context);
    if (data.length + handedOn === 0 && says(body) !== null)
      throw complaint(body, "a list", context);
    return { items: data, nextCursor: cursorOf(body) };
  }
  const one: unknown = Array.isArray(body) && body.length === 1 ? body[0] : body;
  if (!isObject(one)) throw unexpected(nameOf(body), "an object", context);
  if (says(one) !== null || Object.keys(one).length === 0) {
    throw complaint(one, "an object", context);
  }
  return { items: [one], nextCursor: null };
}

function cursorOf(body: JsonObject): string | null {
  const pagination = body["pagination"];
  const next = isObject(pagination) ? pagination["next_cursor"] : null;
  if (typeof next === "number" || typeof next === "bigint") return String(next);
  return typeof next === "string" && next !== "" ? next : null;
}

/** What an error object says, "" if not in words; null if it is not one. */
function says(body: JsonObject): string | null {
  const told = [body["message"], body["error"], body["errors"]].filter((v) => v != null);
  if (told.length === 0) return null;
  return told.map((v) => textOf(v as Json)).join(" ");
}

function complaint(body: JsonObject, wanted: string, context: ErrorContext): Fault {
  const words = says(body);
  if (words === null) return unexpected(nameOf(body), wanted, context);
  if (!TOKEN_WORDS.test(words)) return unexpected("an error message", wanted, context);
  const what = `answered ${String(context["status"])} with a message that the key is refused`;
  return new Fault({ kind: "auth", what, retry: "never", hint: KEY_HINT, context });
}

/** The fault of a body that holds something else than what was asked for. */
export function unexpected(what: string, wanted: string, context: ErrorContext): Fault {
  return new Fault({
    kind: "api_contract",
    what: `answered ${String(context["status"])} with ${what} in place of ${wanted}`,
    retry: "never",
    hint: "check region and api_url; if they are right, KnowBe4 changed its API: report it",
    context,
  });
}

function nameOf(body: unknown): string {
  if (body === null) return "null";
  if (Array.isArray(body)) return `a list of ${String(body.length)}`;
  if (typeof body !== "object") return `a ${typeof body}`;
  return Object.keys(body).length === 0 ? "an empty object" : "another object";
}
