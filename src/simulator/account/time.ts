export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** `2026-06-01T09:00:00.000Z`, in whole seconds: every instant seen from the API ends in `.000Z`. */
export function instantOf(ms: number): string {
  return new Date(Math.floor(ms / SECOND_MS) * SECOND_MS).toISOString();
}

/** The same, or null where nothing has happened. */
export function instantOrNull(ms: number | null): string | null {
  return ms === null ? null : instantOf(ms);
}

/** `2026-06-01`, in UTC. */
export function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** @throws RangeError for anything but a day such as `2026-06-01`. */
export function startOfDay(date: string): number {
  const ms = Date.parse(`${date}T00:00:00.000Z`);
  if (!Number.isFinite(ms) || dateOf(ms) !== date) throw new RangeError(`not a day: "${date}"`);
  return ms;
}

/** The same time of day some months later (or earlier), on the last day of a shorter month. */
export function addMonths(ms: number, months: number): number {
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}

/** The instant itself, or the same time on the Monday after if it is a weekend. */
export function onWeekday(ms: number): number {
  const weekday = new Date(ms).getUTCDay();
  if (weekday === 6) return ms + 2 * DAY_MS;
  return weekday === 0 ? ms + DAY_MS : ms;
}
