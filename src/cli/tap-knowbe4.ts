#!/usr/bin/env node
import { processIo } from "./program.js";
import { tapKnowbe4 } from "./tap.js";

await tapKnowbe4(process.argv.slice(2), processIo());
