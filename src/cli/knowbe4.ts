#!/usr/bin/env node
import { knowbe4 } from "./main.js";
import { processIo } from "./program.js";

await knowbe4(process.argv.slice(2), processIo());
