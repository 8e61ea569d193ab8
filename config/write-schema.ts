/** Part of the build: writes `config/schema.json` of this checkout, when it would change. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchemaText } from './json-schema.js';
import { packageFile } from './package-file.js';

/** This file runs as `dist/config/write-schema.js`. */
const file = fileURLToPath(packageFile('config/schema.json'));

const text = configJsonSchemaText();
if (text !== current()) writeFileSync(file, text);

function current(): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
