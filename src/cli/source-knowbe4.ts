#!/usr/bin/env node
import { sourceKnowbe4 } from "./airbyte/program.js";
import { keepHeapSmall } from "./heap.js";
import { processIo } from "./program.js";

keepHeapSmall();
await sourceKnowbe4(process.argv.slice(2), processIo());
