import type { SimulatedAccount } from "../account/account.js";
import { CHANGE_KINDS, type ChangeTarget } from "../account/changes.js";

/** What a control endpoint answers with: a status, and an object as JSON. */
export interface Outcome {
  readonly status: number;
  readonly body: object;
}

/** Beyond ten years, a day's chores add up to minutes. */
const MAX_DAYS = 3_650;

const TARGETS: readonly string[] = [
  "pst_id",
  "user_id",
  "enrollment_id",
  "group_id",
  "campaign_id",
] satisfies readonly (keyof ChangeTarget)[];

/**
 * Answers what is asked of the simulator itself, rather than of the API that it stands for.
 *
 * @param body text of the request.
 */
export function control(
  account: SimulatedAccount,
  requestCount: number,
  request: { readonly method: string; readonly path: string; readonly body: string },
): Outcome {
  switch (`${request.method} ${request.path}`) {
    case "GET /_simulator/status":
      return ok({ today: account.today, day: account.day, requests: requestCount });
    case "POST /_simulator/advance":
      return advance(account, parse(request.body));
    case "POST /_simulator/change":
      return change(account, parse(request.body));
    default:
      return wrong(404, `${request.method} ${request.path} is not an endpoint of the simulator`);
  }
}

function advance(account: SimulatedAccount, { days }: Input): Outcome {
  if (!isWhole(days) || days < 1 || days > MAX_DAYS) {
    return wrong(400, `days must be a whole number from 1 to ${MAX_DAYS}`);
  }
  account.advance(days);
  return ok({ today: account.today, day: account.day });
}

function change(account: SimulatedAccount, { kind, ...target }: Input): Outcome {
  const known = CHANGE_KINDS.find((k) => k === kind);
  if (known === undefined) return wrong(400, `kind must be one of ${CHANGE_KINDS.join(", ")}`);
  for (const [name, value] of Object.entries(target)) {
    if (!TARGETS.includes(name)) return wrong(400, `only ${TARGETS.join(", ")} go with kind`);
    if (!isWhole(value)) return wrong(400, `${name} must be a whole number`);
  }
  const made = account.change(known, target);
  return made === undefined ? wrong(409, `${known}: there is nothing to change`) : ok(made);
}

type Input = Readonly<Record<string, unknown>>;

/** An object without anything in it for what is no object: what is missing is then told. */
function parse(text: string): Input {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function ok(body: object): Outcome {
  return { status: 200, body };
}

function wrong(status: number, message: string): Outcome {
  return { status, body: { message } };
}
