/** Descriptors by reflection, from servers of Node's HTTP/2. */
import { nowUs } from '../../../core/clock.js';
import type { Plan, VersionPlan } from '../../../core/plan.js';
import { Descriptors } from '../../../core/protobuf/descriptors.js';
import { Scalar } from '../../../core/protobuf/field-type.js';
import { uncounted } from '../../../core/upstream/prober.js';
import { UpstreamResources } from '../../../core/upstream/resources.js';
import { targetsAsWritten } from '../../../core/upstream/target.js';
import { serverAsVersion } from '../../../workers/commands/one-mirror.js';
import { reflectedTypes } from '../../../workers/control/reflection-call.js';
import { Reflections } from '../../../workers/control/reflections.js';
import { message, messageType, type Part } from '../../core/protobuf/types.js';
import { GrpcOrigin } from '../../support/grpc-origin.js';
import { refusedPort } from '../../support/raw-server.js';
import { type Reflected, ReflectingOrigin } from '../../support/reflecting-origin.js';
import t, { type Test } from '../../support/tap.js';
import { until } from '../../support/umbra.js';

/** A shop whose method has this name. */
function shop(method: string, version: Reflected['version'] = 'v1'): Reflected {
  const types = message(
    [1, 'types.proto'],
    [2, 'types'],
    [4, messageType('Item', [{ name: 'stars', number: 1, type: Scalar.INT32 }])],
    [12, 'proto3'],
  );
  const service: Part = [
    6,
    [
      [1, 'Shop'],
      [
        2,
        [
          [1, method],
          [2, '.types.Item'],
          [3, '.types.Item'],
        ],
      ],
    ],
  ];
  const file = message([1, 'shop.proto'], [2, 'shop'], [3, 'types.proto'], service, [12, 'proto3']);
  return {
    files: new Map([
      ['shop.proto', file],
      ['types.proto', types],
    ]),
    services: new Map([['shop.Shop', 'shop.proto']]),
    version,
  };
}

async function origin(t: Test, reflected: Reflected): Promise<ReflectingOrigin> {
  const server = await ReflectingOrigin.listen(reflected);
  t.teardown(() => server.close());
  return server;
}

const versionAt = (port: number): VersionPlan =>
  serverAsVersion('v1', `http://127.0.0.1:${port}`, 4, 4, 5000);
const read = (port: number) => {
  const version = versionAt(port);
  return reflectedTypes(version, targetsAsWritten(version), new UpstreamResources(nowUs, uncounted));
};

t.test('types are read by v1, and by v1alpha where a server has that alone', async (t) => {
  for (const version of ['v1', 'v1alpha'] as const) {
    const server = await origin(t, shop('Get', version));
    t.strictSame(Descriptors.read(await read(server.port)).methodNames, ['shop.Shop/Get']);
    t.equal(server.called.length, version === 'v1' ? 1 : 2);
  }
});

t.test('a server without types is an error with a reason', async (t) => {
  const none = await origin(t, shop('Get', null));
  await t.rejects(read(none.port), { message: 'it has no server reflection' });
  const lacking = await origin(t, { ...shop('Get'), services: new Map([['shop.Gone', 'gone.proto']]) });
  await t.rejects(read(lacking.port), { message: 'it answered: no shop.Gone' });
  await t.rejects(read(await refusedPort()), { message: 'the call failed (connect)' });
  const old = await GrpcOrigin.listen(() => ({ status: 0 }), 'http1');
  t.teardown(() => old.close());
  await t.rejects(read(old.port), { message: /^the call failed \((protocol|reset)\)$/ });
});

t.test('a failure is reported and tried again, and a reload renews the types', async (t) => {
  const server = await origin(t, shop('Get', null));
  const lines: string[] = [];
  let changes = 0;
  const write = (_: object, text: string) => lines.push(text);
  const reflections = new Reflections({ log: { info: write, warn: write }, changed: () => changes++ });
  t.teardown(() => reflections.stop());
  const version = versionAt(server.port);
  const plan = {
    versions: [version],
    routes: [
      { primaries: [{ version: 0, weight: 1 }], mirrors: [{ compare: { structure: { reflection: true } } }] },
    ],
  } as unknown as Plan;
  const targets = new Map([[version.name, targetsAsWritten(version)]]);
  reflections.apply(plan, targets);
  await until(() => lines.length === 1, 'the failure is reported');
  t.match(
    lines[0],
    /v1 can't be read by reflection: it has no server reflection; asked again in 1 s, fields/,
  );
  t.equal(reflections.of('v1'), null);
  server.reflected = shop('Get');
  await until(() => changes === 1, 'the second attempt has them');
  t.match(lines[1], 'descriptors of v1 were read by reflection: 1 methods');
  const methods = () => Descriptors.read(new Uint8Array(reflections.of('v1')!.descriptors)).methodNames;
  t.strictSame(methods(), ['shop.Shop/Get']);
  server.reflected = shop('Put');
  reflections.apply(plan, targets);
  await until(() => changes === 2, 'a reload has the new types');
  t.strictSame(methods(), ['shop.Shop/Put']);
  server.reflected = shop('Put', null);
  reflections.apply(plan, targets);
  await until(() => lines.length === 4, 'a renewal that fails is reported');
  t.match(lines[3], /the earlier ones stay in use$/);
  t.strictSame(methods(), ['shop.Shop/Put']);
  reflections.apply({ ...plan, routes: [] }, targets);
  t.equal(reflections.of('v1'), null, 'types that no mirror asks for are forgotten');
});
