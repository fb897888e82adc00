export { checkConnection, type AccountFacts } from "./check.js";
export { createClient } from "./client.js";
export { firstPage } from "./look.js";
export { createSource } from "./paging.js";
export { baseUrl } from "./regions.js";
