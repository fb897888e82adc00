import { STATUS_CODES } from "node:http";

import type { Fault } from "./fault.js";
import { writeJson } from "./row-faults.js";

/** What is sent, unless one of the faults does something to it on its way. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly faults: readonly Fault[];
}

const HTML =
  "<!doctype html><html><head><title>Back soon</title></head><body>Back soon</body></html>";

export function json(value: unknown, faults: readonly Fault[], headers = {}): Answer {
  return { status: 200, headers, body: writeJson(value, faults), faults };
}

/** A message in place of rows. */
export function refusal(
  status: number,
  message: string,
  { headers = {}, faults = [] }: Partial<Pick<Answer, "headers" | "faults">> = {},
): Answer {
  return { status, headers, body: JSON.stringify({ message }), faults };
}

/** The answer, or what its faults put in its place. */
export function replaced(answer: Answer): Answer {
  for (const fault of answer.faults) {
    if (fault.kind === "status") {
      const { status, headers = {}, body } = fault;
      return {
        ...answer,
        status,
        headers,
        body: body ?? JSON.stringify({ message: STATUS_CODES[status] }),
      };
    }
    if (fault.kind === "html") return { ...answer, ...page(fault.status ?? 200) };
    if (fault.kind === "json") return { ...answer, status: 200, headers: {}, body: fault.body };
    if (fault.kind === "redirect") {
      return { ...answer, ...page(fault.status ?? 302, { location: fault.to }) };
    }
  }
  return answer;
}

function page(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Pick<Answer, "status" | "headers" | "body"> {
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8", ...headers },
    body: HTML,
  };
}
