#!/usr/bin/env node
import { keepHeapSmall } from "./heap.js";
import { processIo } from "./program.js";
import { tapKnowbe4 } from "./tap.js";

keepHeapSmall();
await tapKnowbe4(process.argv.slice(2), processIo());
