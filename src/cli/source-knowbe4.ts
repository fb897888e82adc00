#!/usr/bin/env node
import { sourceKnowbe4 } from "./airbyte/program.js";
import { processIo } from "./program.js";

await sourceKnowbe4(process.argv.slice(2), processIo());
