#!/usr/bin/env node
import { main } from '../dist/config/command-line.js';

await main(process.argv);
