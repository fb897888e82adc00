import { z } from "zod";

/** How a value is stored and compared; every destination has one native type for each. */
export type ColumnType =
  "string" | "integer" | "number" | "boolean" | "timestamp" | "date" | "json";

/**
 * What a field says about a person; absent for none. Privacy rules are written against these.
 *
 * - `identifier` a key that stands for one person   - `name`, `email`, `phone`, `address` (network)
 * - `behaviour`  what one person did or scored      - `work` place, job, manager
 * - `free_text`  a person may be described in it
 */
export type Pii =
  "identifier" | "name" | "email" | "phone" | "address" | "behaviour" | "work" | "free_text";

/**
 * How a JSON value is straightened out: `ids` takes numbers, or objects with an `id` or
 * `group_id`, to a list of numbers; `flat` opens lists within the list.
 */
export type Shape = "ids" | "flat";

/** What a field's declaration knows beside its zod type; read by `core/columns.ts` only. */
export interface FieldMeta {
  readonly description: string;
  readonly kind: ColumnType;
  readonly pii?: Pii;
  readonly shape?: Shape;
}

const registry = z.registry<FieldMeta>();

function declare<T extends z.ZodType>(type: T, meta: FieldMeta): T {
  registry.add(type, meta);
  return type;
}

/** The declaration of a field made by one of the functions below. */
export function fieldMeta(type: z.ZodType): FieldMeta | undefined {
  return registry.get(type);
}

function meta(kind: ColumnType, description: string, pii?: Pii, shape?: Shape): FieldMeta {
  return {
    description,
    kind,
    ...(pii === undefined ? {} : { pii }),
    ...(shape === undefined ? {} : { shape }),
  };
}

/** Key of a row: a 64-bit integer. */
export const id = (description: string, pii?: Pii) =>
  declare(z.int(), meta("integer", description, pii));

/** A whole number; say the unit. */
export const integer = (description: string, pii?: Pii) =>
  declare(z.int(), meta("integer", description, pii));

/** A number with decimals; say the scale. */
export const number = (description: string, pii?: Pii) =>
  declare(z.number(), meta("number", description, pii));

/** Text of any length. */
export const text = (description: string, pii?: Pii) =>
  declare(z.string(), meta("string", description, pii));

/** True or false. */
export const flag = (description: string, pii?: Pii) =>
  declare(z.boolean(), meta("boolean", description, pii));

/** An instant: ISO 8601, UTC. */
export const instant = (description: string, pii?: Pii) =>
  declare(z.iso.datetime(), meta("timestamp", description, pii));

/** A day: `YYYY-MM-DD`. */
export const day = (description: string, pii?: Pii) =>
  declare(z.iso.date(), meta("date", description, pii));

/** A nested object, kept as JSON; unknown members stay in it. */
export const object = <S extends z.core.$ZodLooseShape>(description: string, shape: S, pii?: Pii) =>
  declare(z.looseObject(shape), meta("json", description, pii));

/** A list, kept as JSON. */
export const list = <T extends z.ZodType>(
  description: string,
  element: T,
  options: { readonly pii?: Pii; readonly shape?: Shape } = {},
) => declare(z.array(element), meta("json", description, options.pii, options.shape));

/** A value of any shape, kept as JSON. */
export const anything = (description: string, pii?: Pii) =>
  declare(z.json(), meta("json", description, pii));
