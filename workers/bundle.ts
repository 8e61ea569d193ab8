/**
 * The last step of the build: each entry, with all modules that it imports, in one file of `dist/bundle`.
 * Node takes most of a millisecond for every module of a thread, and umbra starts with five threads of one to
 * three hundred (docs/decisions/071).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { packageFile } from '../config/package-file.js';
import { writeCompiledCode } from './compiled-code.js';
import { external } from './external.js';
import { bundleName, type Entry, entries, entryFile, isCompiled } from './protocol/entry.js';

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

/** What modules have and scripts have not: `import.meta.url`, and `import()`, passed by `compiled-start`. */
const scriptBanner = `'use strict';
const bundleUrl = require('node:url').pathToFileURL(__filename).href;
const importLate = module.importLate ?? ((path) => import(path));`;

/** Commands in the file of the process, because most processes run one of them. */
const inProcess = new Set(['run']);
const lateImport = /\bimport\('\.\/([a-z-]+)\.js'\)/g;
const commandNames = Array.from(
  readFileSync(packageFile('dist/workers/commands/index.js'), 'utf8').matchAll(lateImport),
  ([, name]) => name!,
);

/**
 * `commands/index` and `admin/rollout-routes` import the files of `buildLate`, through `importLate`: a script
 * has no import.
 */
const lateModules: Plugin = {
  name: 'late modules',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]admin[\\/]rollout-routes\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        "import('../../config/rollout-settings.js')",
        "importLate('./rollout-settings.js')",
      ),
    }));
    onLoad({ filter: /[\\/]commands[\\/]index\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(lateImport, (whole, name) =>
        inProcess.has(name) ? whole : `importLate('./command-${name}.js')`,
      ),
    }));
  },
};

const directory = fileURLToPath(packageFile('dist/bundle'));
rmSync(directory, { recursive: true, force: true });
const common: BuildOptions = {
  outdir: directory,
  bundle: true,
  platform: 'node',
  target: 'node20.15',
  external: [...external],
  plugins: [withoutLocales],
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
};
await Promise.all(entries.map((entry) => (isCompiled(entry) ? buildCompiled(entry) : buildModule(entry))));
await buildLate();
await writeCompiledCode(directory);

// What `umbra version` names; null in a tree that is no checkout.
const described = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=12', '--match', ''], {
  cwd: directory,
  encoding: 'utf8',
});
const commit = described.status === 0 ? described.stdout.trim() : null;
writeFileSync(packageFile('dist/bundle/build.json'), `${JSON.stringify({ commit })}\n`);

/**
 * `buildModule` builds each entry by itself: pieces that several share would be many files again. What is
 * imported late stays a file of its own.
 */
async function buildModule(entry: Entry): Promise<void> {
  await build({
    ...common,
    entryPoints: [{ in: fileURLToPath(entryFile(entry)), out: bundleName(entry) }],
    splitting: true,
    format: 'esm',
    banner: { js: banner },
  });
}

/**
 * `buildLate` writes the commands, and the schema of rollouts, as modules, with what several share beside
 * them. In the files of the process and of the control thread, a server would keep them in memory.
 */
async function buildLate(): Promise<void> {
  const names = commandNames.filter((name) => !inProcess.has(name));
  await build({
    ...common,
    entryPoints: [
      ...names.map((name) => ({
        in: fileURLToPath(packageFile(`dist/workers/commands/${name}.js`)),
        out: `command-${name}`,
      })),
      { in: fileURLToPath(packageFile('dist/config/rollout-settings.js')), out: 'rollout-settings' },
    ],
    splitting: true,
    format: 'esm',
    banner: { js: banner },
  });
}

/**
 * `buildCompiled` writes CommonJS, because V8 takes compiled code for scripts alone. What is imported late is
 * in the same file, but for what `buildLate` writes.
 */
async function buildCompiled(entry: Entry): Promise<void> {
  const name = bundleName(entry);
  const asScript: BuildOptions = {
    ...common,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: scriptBanner },
    supported: { 'dynamic-import': false },
    plugins: [...(common.plugins ?? []), lateModules],
  };
  const start = fileURLToPath(packageFile('dist/workers/protocol/compiled-start.js'));
  await Promise.all([
    build({ ...asScript, entryPoints: [{ in: fileURLToPath(entryFile(entry)), out: `${name}.code` }] }),
    build({ ...asScript, entryPoints: [{ in: start, out: name }], sourcemap: false, supported: {} }),
  ]);
}
