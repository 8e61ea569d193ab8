/**
 * The last step of the build: each entry, with all modules that it imports, in one file of `dist/bundle`.
 * Node takes most of a millisecond for every module of a thread, and umbra starts with five threads of one to
 * three hundred (docs/decisions/071).
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
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

/**
 * Modules that are imported late and yet stay in the file of their thread, with its compiled code: what most
 * processes run, and what a control thread loads with its first request or span.
 */
const inSameFile = [
  'workers/commands/run.js',
  'workers/admin/app.js',
  'workers/admin/listener.js',
  'workers/control/otlp.js',
];
/** `import()` of a file beside the caller, as the compiler writes it. */
const lateImport = /\bimport\('(\.{1,2}\/[^']+)'\)/g;
const dist = fileURLToPath(packageFile('dist/'));
const lateNames = findLate();

/** A script imports the files of `buildLate` through `importLate`, because it has no import. */
const lateModules: Plugin = {
  name: 'late modules',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (!path.startsWith(dist)) return undefined;
      const contents = readFileSync(path, 'utf8').replace(lateImport, (whole, target: string) => {
        const name = lateNames.get(resolve(dirname(path), target));
        return name === undefined ? whole : `importLate('./${name}.js')`;
      });
      return { contents };
    });
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

// What `umbra version` names; null in a tree that is not a checkout.
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
 * `findLate` returns the modules that get files of their own, with their names in the bundle. In the files of
 * the process and of the control thread, a server would keep them in memory.
 */
function findLate(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ['config', 'core', 'workers']) {
    for (const entry of readdirSync(join(dist, folder), { recursive: true, encoding: 'utf8' })) {
      const file = join(dist, folder, entry);
      if (!file.endsWith('.js')) continue;
      for (const [, target] of readFileSync(file, 'utf8').matchAll(lateImport)) {
        const late = resolve(dirname(file), target!);
        const path = relative(dist, late).replaceAll('\\', '/');
        if (!inSameFile.includes(path))
          found.set(late, `late-${path.replaceAll('/', '-').slice(0, -'.js'.length)}`);
      }
    }
  }
  return found;
}

/** `buildLate` writes the late modules, with what several of them share beside them. */
async function buildLate(): Promise<void> {
  await build({
    ...common,
    entryPoints: Array.from(lateNames, ([file, name]) => ({ in: file, out: name })),
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
