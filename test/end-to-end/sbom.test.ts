// Runs over one engine: commands have no engine.
/** `npm run sbom`: what a user's installation consists of, as CycloneDX. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runWell } from '../support/command.js';
import t from '../support/tap.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly object[];
}

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly serialNumber: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Locked {
  readonly version: string;
  readonly integrity: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as {
  packages: Readonly<Record<string, Locked>>;
};

/** Where Node finds `name` from the package at `from`. */
function find(name: string, from: string): string | null {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))) {
    const path = `${base === '' ? '' : `${base}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (base === '') return null;
  }
}

/** All that the dependencies of umbra need, as Node would find them. */
function production(): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [''];
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    const { dependencies, optionalDependencies } = packages[from]!;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const path = find(name, from);
      if (path === null) {
        t.ok(name in (optionalDependencies ?? {}), `${name}, which ${from} needs, is in the lock file`);
      } else if (!found.has(path)) {
        found.add(path);
        open.push(path);
      }
    }
  }
  return found;
}

/** `integrityOf` returns a component's SHA-512 in the lock file's form. */
function integrityOf({ hashes = [] }: Component): string {
  const hash = hashes.find(({ alg }) => alg === 'SHA-512');
  return `sha512-${Buffer.from(hash?.content ?? '', 'hex').toString('base64')}`;
}

t.test('the bill of materials is valid, and complete for what a user installs', async (t) => {
  const { out } = await runWell('npm', ['run', '--silent', 'sbom'], { cwd: root });
  const bom = JSON.parse(out.toString()) as Bom;
  t.equal(bom.bomFormat, 'CycloneDX');
  t.match(bom.specVersion, /^1\.\d$/);
  t.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.match(bom.metadata.component.purl, /^pkg:npm\/umbra@/);

  const refs = new Set([bom.metadata.component, ...bom.components].map((component) => component['bom-ref']));
  t.equal(refs.size, bom.components.length + 1, 'each component has a name of its own');
  for (const { ref, dependsOn } of bom.dependencies)
    for (const name of [ref, ...dependsOn]) if (!refs.has(name)) t.fail(`${name} is no component`);
  for (const component of bom.components) {
    const { type, version, purl, licenses = [] } = component;
    if (type !== 'library' || licenses.length === 0) t.fail(`${purl} has no type or licence`);
    if (!purl.startsWith('pkg:npm/') || !purl.endsWith(`@${version}`)) t.fail(`${purl} names no package`);
  }

  const listed = new Set(bom.components.map(integrityOf));
  const wanted = [...production()];
  t.ok(wanted.length > 50, `${wanted.length} packages`);
  t.strictSame(
    wanted.filter((path) => !listed.has(packages[path]!.integrity)),
    [],
    'every package is listed with the hash that npm ci verifies',
  );
  const known = new Set(wanted.map((path) => packages[path]!.integrity));
  const strays = bom.components.filter((component) => !known.has(integrityOf(component)));
  t.strictSame(
    strays.map(({ purl }) => purl),
    [],
    'and none that is for development alone',
  );
  t.ok(
    bom.components.some(({ purl }) => purl.startsWith('pkg:npm/%40btc-vision/uwebsockets.js@')),
    'the native addon is named by its own package, not by its alias',
  );
});
