import { startStandin } from "../test/support/snowflake/server.js";

/*
 * The stand-in of the tests in place of Snowflake: it loads what is put there. Prints its address as one line of
 * JSON; ends when its stdin does.
 */

const standin = await startStandin({
  users: [{ name: "LOADER", token: "bench", roles: ["LOADER_ROLE"] }],
});
console.log(JSON.stringify({ url: standin.url, paths: [] }));

process.stdin.resume().on("end", () => {
  void standin[Symbol.asyncDispose]();
});
