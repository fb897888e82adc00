import type { StreamDef } from "../src/core/stream.js";
import { account } from "./account.js";
import { campaigns } from "./campaigns.js";
import { enrollments } from "./enrollments.js";
import { groupMembers } from "./group_members.js";
import { groupRiskScoreHistory } from "./group_risk_score_history.js";
import { groups } from "./groups.js";
import { policies } from "./policies.js";
import { riskScoreHistory } from "./risk_score_history.js";
import { securityTestRecipients } from "./security_test_recipients.js";
import { securityTests } from "./security_tests.js";
import { storePurchases } from "./store_purchases.js";
import { trainingCampaigns } from "./training_campaigns.js";
import { userRiskScoreHistory } from "./user_risk_score_history.js";
import { users } from "./users.js";

/** Every stream, in the order of catalogs and documentation: the most used ones first. */
export const STREAMS: readonly StreamDef[] = [
  users,
  groups,
  groupMembers,
  enrollments,
  campaigns,
  securityTests,
  securityTestRecipients,
  riskScoreHistory,
  account,
  trainingCampaigns,
  storePurchases,
  policies,
  groupRiskScoreHistory,
  userRiskScoreHistory,
];
