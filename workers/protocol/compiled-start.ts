/**
 * What the process and its threads begin with in the bundle, as `NAME.cjs`. It runs `NAME.code.cjs` with
 * the code that V8 compiled when umbra was built, so that V8 neither parses the file nor compiles what
 * every start runs (docs/decisions/097). V8 rejects code of another version of itself or for other flags,
 * and compiles the file as it would without.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { compiledFileOf, scriptOf } from './compiled-script.js';

/** Set while the build starts umbra once: threads then write their compiled code when they end. */
const isBuild = process.env.UMBRA_WRITE_COMPILED_CODE === '1';

const file = fileURLToPath(import.meta.url).replace(/\.cjs$/, '.code.cjs');
const compiledFile = compiledFileOf(file);
const require = createRequire(file);

// With `--enable-source-maps`, Node itself must load the file.
const cachedData = (process as { sourceMapsEnabled?: boolean }).sourceMapsEnabled ? null : compiledCode();
if (cachedData === null && !isBuild) require(file);
else run(cachedData ?? undefined);

function compiledCode(): Buffer | null {
  try {
    return readFileSync(compiledFile);
  } catch {
    return null;
  }
}

function run(cachedData: Buffer | undefined): void {
  const source = scriptOf(readFileSync(file, 'utf8'));
  const script = new vm.Script(source, { filename: file, ...(cachedData && { cachedData }) });
  if (isBuild) process.on('exit', () => writeFileSync(compiledFile, script.createCachedData()));
  // Modules that are imported late: a script can't import.
  const importLate = (path: string): Promise<unknown> =>
    import(pathToFileURL(join(dirname(file), path)).href);
  const module = { exports: {}, importLate };
  script.runInThisContext()(module.exports, require, module, file, dirname(file));
}
