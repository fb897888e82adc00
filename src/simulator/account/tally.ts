/** How many recipients of a test did what. */
export interface Tally {
  readonly scheduled: number;
  readonly delivered: number;
  readonly opened: number;
  readonly clicked: number;
  readonly replied: number;
  readonly attachment: number;
  readonly macro: number;
  readonly data: number;
  readonly qrCode: number;
  readonly reported: number;
  readonly bounced: number;
  /** Recipients who failed in any way. */
  readonly failed: number;
}

/** When what happened to one recipient, in milliseconds; null for what has not. */
export interface Events {
  readonly scheduled: number;
  delivered: number | null;
  opened: number | null;
  clicked: number | null;
  replied: number | null;
  attachment: number | null;
  macro: number | null;
  data: number | null;
  qrCode: number | null;
  reported: number | null;
  bounced: number | null;
}

/** Opening the mail or reporting it is no failure. */
export function hasFailed(e: Events): boolean {
  return (
    e.clicked !== null ||
    e.replied !== null ||
    e.attachment !== null ||
    e.macro !== null ||
    e.data !== null ||
    e.qrCode !== null
  );
}

/** Counts what happened, so that a test's figures are what its recipients' rows say. */
export function tallyOf(all: Iterable<Events>): Tally {
  const tally = {
    scheduled: 0,
    delivered: 0,
    opened: 0,
    clicked: 0,
    replied: 0,
    attachment: 0,
    macro: 0,
    data: 0,
    qrCode: 0,
    reported: 0,
    bounced: 0,
    failed: 0,
  };
  for (const events of all) {
    tally.scheduled++;
    if (events.delivered !== null) tally.delivered++;
    if (events.opened !== null) tally.opened++;
    if (events.clicked !== null) tally.clicked++;
    if (events.replied !== null) tally.replied++;
    if (events.attachment !== null) tally.attachment++;
    if (events.macro !== null) tally.macro++;
    if (events.data !== null) tally.data++;
    if (events.qrCode !== null) tally.qrCode++;
    if (events.reported !== null) tally.reported++;
    if (events.bounced !== null) tally.bounced++;
    if (hasFailed(events)) tally.failed++;
  }
  return tally;
}
