/**
 * The last step of the build: tap in one file, beside `tap.ts`. A test would load 270 files of it, which
 * takes most of the CPU time of most tests.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What CommonJS has and modules have not. */
const banner = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);
const { filename: __filename, dirname: __dirname } = import.meta;`;

await build({
  stdin: { contents: "export { tap } from '@tapjs/core';", resolveDir: process.cwd() },
  // tap leaves its own calls out of stacks by this folder.
  outfile: fileURLToPath(new URL('./node_modules/@tapjs/core/index.mjs', import.meta.url)),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.15',
  banner: { js: banner },
  logLevel: 'warning',
});
