#!/usr/bin/env node
import { keepHeapSmall } from "./heap.js";
import { knowbe4 } from "./main.js";
import { processIo } from "./program.js";

keepHeapSmall();
await knowbe4(process.argv.slice(2), processIo());
