import { ALL_FIELDS } from "./enrollments.js";
import { GROUPS, type Group } from "./groups.js";
import type { Row } from "./json.js";
import { rowsOf } from "./listing.js";
import {
  accountRow,
  campaignListing,
  enrollmentListing,
  groupListing,
  policyListing,
  purchaseListing,
  recipientListing,
  testListing,
  trainingListing,
  userListing,
} from "./listings.js";
import type { Person } from "./population.js";
import { accountRisk, firstDay, groupRisk, history, personDays, personRisk } from "./risk.js";
import { testsOf } from "./tests.js";
import { isVisible } from "./users.js";
import type { World } from "./world.js";

/** All rows of each stream, as the API gives them, with the key of the parent added where it is not in them. */
const STREAMS = {
  account: function* (world: World) {
    yield accountRow(world);
  },
  users: (world: World) => rowsOf(userListing(world)),
  groups: (world: World) => rowsOf(groupListing(world)),
  group_members: function* (world: World) {
    for (const group of GROUPS) {
      for (const user of rowsOf(userListing(world, { group }))) {
        yield { group_id: group.id, ...user };
      }
    }
  },
  enrollments: (world: World) =>
    rowsOf(enrollmentListing(world, { withoutArchived: false }, ALL_FIELDS)),
  campaigns: (world: World) => rowsOf(campaignListing(world)),
  security_tests: (world: World) => rowsOf(testListing(world)),
  security_test_recipients: function* (world: World) {
    for (const test of testsOf(world)) yield* rowsOf(recipientListing(world, test));
  },
  risk_score_history: (world: World) => accountHistory(world),
  training_campaigns: (world: World) => rowsOf(trainingListing(world)),
  store_purchases: () => rowsOf(purchaseListing()),
  policies: () => rowsOf(policyListing()),
  group_risk_score_history: function* (world: World) {
    for (const group of GROUPS) {
      for (const row of groupHistory(world, group)) yield { group_id: group.id, ...row };
    }
  },
  user_risk_score_history: function* (world: World) {
    for (const person of world.population.people) {
      if (!isVisible(world, person)) continue;
      for (const row of personHistory(world, person)) yield { user_id: person.id, ...row };
    }
  },
} as const satisfies Readonly<Record<string, (world: World) => Iterable<Row>>>;

/** Names of the streams that the account can be asked for. */
export type StreamName = keyof typeof STREAMS;

/** All rows of a stream, computed one by one; histories are the full ones. */
export function streamRows(world: World, stream: StreamName): Iterable<Row> {
  return { [Symbol.iterator]: () => STREAMS[stream](world)[Symbol.iterator]() };
}

/** Risk by day since the account was opened. */
export function accountHistory(world: World): Iterable<Row> {
  return history(world, firstDay(world), world.day, (day) => accountRisk(world, day));
}

export function groupHistory(world: World, group: Group): Iterable<Row> {
  return history(world, firstDay(world), world.day, (day) => groupRisk(world, group, day));
}

/** Risk by day since the person joined, until they left. */
export function personHistory(world: World, person: Person): Iterable<Row> {
  const [first, last] = personDays(world, person);
  return history(world, first, last, (day) => personRisk(world, person, day));
}
