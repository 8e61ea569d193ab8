/**
 * The last step of the build: each entry, with all modules that it imports, in one file of `dist/bundle`.
 * Node takes most of a millisecond for every module of a thread, and umbra starts with five threads of one to
 * three hundred (docs/decisions/071).
 */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { packageFile } from '../config/package-file.js';
import { external } from './external.js';
import { bundleName, entries, entryFile } from './protocol/entry.js';

/** What was written for CommonJS asks for Node's own modules with `require`, which modules do not have. */
const banner = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

/** zod brings its messages in forty languages wherever it is imported; umbra writes its own. */
const withoutLocales: Plugin = {
  name: 'without locales',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

const directory = fileURLToPath(packageFile('dist/bundle'));
rmSync(directory, { recursive: true, force: true });
await Promise.all(
  entries.map((entry) =>
    // Each by itself: pieces that several share would be many files again. What is imported late stays a file
    // of its own.
    build({
      entryPoints: [{ in: fileURLToPath(entryFile(entry)), out: bundleName(entry) }],
      outdir: directory,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.15',
      banner: { js: banner },
      external: [...external],
      plugins: [withoutLocales],
      sourcemap: 'linked',
      sourcesContent: false,
      logLevel: 'warning',
    }),
  ),
);

// What `umbra version` names; null in a tree that is no checkout.
const described = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=12', '--match', ''], {
  cwd: directory,
  encoding: 'utf8',
});
const commit = described.status === 0 ? described.stdout.trim() : null;
writeFileSync(packageFile('dist/bundle/build.json'), `${JSON.stringify({ commit })}\n`);
