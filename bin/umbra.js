#!/usr/bin/env node
import { main } from '../dist/config/command-line.js';
import { commands } from '../dist/workers/commands/index.js';

await main(process.argv, commands);
