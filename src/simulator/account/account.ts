import {
  applyChange,
  passDay,
  type Change,
  type ChangeKind,
  type ChangeTarget,
} from "./changes.js";
import type { Row } from "./json.js";
import { streamRows, type StreamName } from "./streams.js";
import { dateOf } from "./time.js";
import { nowOf, type World } from "./world.js";

/**
 * What is true of the account, without asking over HTTP.
 *
 * A change without ids chooses for itself, always the same for the same account and history, and
 * tells what it changed; undefined says that there was nothing to change.
 */
export interface SimulatedAccount {
  /** Days that have passed since the first. */
  readonly day: number;
  /** The day on which the account stands, as `2026-06-01`. */
  readonly today: string;
  /** All rows of a stream as the API gives them, computed while they are iterated. */
  rows(stream: StreamName): Iterable<Row>;
  /** Lets whole days pass, one by one. @throws RangeError for less than none. */
  advance(days: number): void;
  change(kind: ChangeKind, target?: ChangeTarget): Change | undefined;
  /** Somebody clicks now, in a test that is still open. */
  clickInOpenTest(target?: ChangeTarget): Change | undefined;
  /** An administrator takes a failure out of a closed test: its instants become null. */
  removeFailure(target?: ChangeTarget): Change | undefined;
  /** Progress goes back to Not Started. */
  resetEnrollment(target?: ChangeTarget): Change | undefined;
  /** The enrollment is no longer listed. */
  deleteEnrollment(target?: ChangeTarget): Change | undefined;
  passEnrollment(target?: ChangeTarget): Change | undefined;
  archiveUser(target?: ChangeTarget): Change | undefined;
  /** Archived and anonymised: rows that named the person stay, without them. */
  eraseUser(target?: ChangeTarget): Change | undefined;
  /** Out of one group and into another, `group_id` if given. */
  moveUser(target?: ChangeTarget): Change | undefined;
  renameGroup(target?: ChangeTarget): Change | undefined;
  /** Two more weeks, and a name that says so. */
  editTrainingCampaign(target?: ChangeTarget): Change | undefined;
}

export function accountOf(world: World): SimulatedAccount {
  const change = (kind: ChangeKind, target?: ChangeTarget) => applyChange(world, kind, target);
  return {
    get day() {
      return world.day;
    },
    get today() {
      return dateOf(nowOf(world));
    },
    rows: (stream) => streamRows(world, stream),
    advance: (days) => {
      if (!Number.isInteger(days) || days < 0) throw new RangeError(`cannot advance ${days} days`);
      for (let day = 0; day < days; day++) passDay(world);
    },
    change,
    clickInOpenTest: (target) => change("clickInOpenTest", target),
    removeFailure: (target) => change("removeFailure", target),
    resetEnrollment: (target) => change("resetEnrollment", target),
    deleteEnrollment: (target) => change("deleteEnrollment", target),
    passEnrollment: (target) => change("passEnrollment", target),
    archiveUser: (target) => change("archiveUser", target),
    eraseUser: (target) => change("eraseUser", target),
    moveUser: (target) => change("moveUser", target),
    renameGroup: (target) => change("renameGroup", target),
    editTrainingCampaign: (target) => change("editTrainingCampaign", target),
  };
}
