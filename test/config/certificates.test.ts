import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePlan } from '../../config/compile.js';
import { formatProblem, loadConfig, unreadable } from '../../config/load.js';
import { MirrorSlots } from '../../config/slots.js';
import { authorityPem, clientKey, clientPem, serverKey } from '../support/authority.js';
import t from '../support/tap.js';

const directory = mkdtempSync(join(tmpdir(), 'umbra-pem-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
for (const [name, text] of Object.entries({
  'ca.pem': authorityPem,
  'client.pem': clientPem,
  'client.key': clientKey,
  'other.key': serverKey,
  'nonsense.pem': 'not a certificate',
})) {
  writeFileSync(join(directory, name), text);
}

const load = (tls: string) =>
  loadConfig(
    `versions: { v1: { endpoints: "https://a:1", tls: { ${tls} } } }\nroutes: [ { primary: v1 } ]\n`,
    'f',
    {
      directory,
      unreadable,
    },
  );

t.test('the files of a version are read into the plan, relative to the configuration', async (t) => {
  const loaded = load('ca: ca.pem, cert: client.pem, key: client.key, serverName: Reviews.Internal');
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join());
  const [version] = compilePlan(loaded.config, 1, new MirrorSlots(), 1).versions;
  t.strictSame(version!.tls, {
    ca: { path: join(directory, 'ca.pem'), pem: authorityPem },
    cert: { path: join(directory, 'client.pem'), pem: clientPem },
    key: { path: join(directory, 'client.key'), pem: clientKey },
    serverName: 'reviews.internal',
    verify: true,
  });
  t.equal(version!.endpoints[0]!.secure, true);
});

t.test('a file that cannot be used is reported where it is named', async (t) => {
  for (const [tls, pattern] of [
    ['ca: gone.pem', /^f:1:\d+: versions\.v1\.tls\.ca: .*gone\.pem can't be read: no such file$/],
    ['ca: nonsense.pem', /^f:1:\d+: versions\.v1\.tls\.ca: .* is not a certificate in PEM/],
    ['cert: nonsense.pem, key: client.key', /tls\.cert: .* is not a certificate in PEM/],
    ['cert: client.pem, key: other.key', /tls\.key: .*other\.key is not the key of .*client\.pem/],
    ['cert: client.pem', /expected both of `cert` and `key`, or neither/],
    ['serverName: 10.0.0.1', /serverName: expected a host name/],
    ['verify: maybe', /verify: expected true or false/],
  ] as const) {
    const loaded = load(tls);
    t.match(loaded.ok ? [] : loaded.problems.map(formatProblem).join('\n'), pattern, tls);
  }
});
