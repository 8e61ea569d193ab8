#!/usr/bin/env node
import '../dist/bundle/umbra.js';
