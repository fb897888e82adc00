export { checkConnection, type AccountFacts } from "./check.js";
export { createClient, type Client, type ClientOptions, type Pagination } from "./client.js";
export type { OnQuotaExhausted } from "./limiter.js";
export { createSource } from "./paging.js";
export { redact } from "./redact.js";
export { baseUrl } from "./regions.js";
export type { RetryLimits } from "./retry.js";
