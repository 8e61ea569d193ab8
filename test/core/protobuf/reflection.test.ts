/** The stream of server reflection: what is asked for, and what a hostile server can do. */
import fc from 'fast-check';
import { DescriptorFault, Descriptors } from '../../../core/protobuf/descriptors.js';
import { Scalar } from '../../../core/protobuf/field-type.js';
import { Reflection } from '../../../core/protobuf/reflection.js';
import { readFields } from '../../../core/protobuf/wire-format.js';
import t from '../../support/tap.js';
import { message, messageType, type Part } from './types.js';

const bounds = { bytesMax: 10_000, filesMax: 10 };

const file = (name: string, imports: readonly string[], more: readonly Part[] = []): Buffer =>
  message([1, `${name}.proto`], [2, name], ...imports.map((one): Part => [3, `${one}.proto`]), ...more, [
    12,
    'proto3',
  ]);
const types = file(
  'types',
  [],
  [[4, messageType('Item', [{ name: 'stars', number: 1, type: Scalar.INT32 }])]],
);
const service: Part = [
  6,
  [
    [1, 'Shop'],
    [
      2,
      [
        [1, 'Get'],
        [2, '.types.Item'],
        [3, '.types.Item'],
      ],
    ],
  ],
];
const shop = file('shop', ['types'], [service]);

const listed = (...names: string[]) => message([6, names.map((name): Part => [1, [[1, name]]])]);
const files = (...bytes: Buffer[]) => message([4, bytes.map((one): Part => [1, one])]);
const asked = (request: Buffer | null) => {
  if (request === null) return null;
  const [{ number, bytes }] = readFields(request, { value: () => {} }, 0);
  return [number, bytes.toString()];
};

t.test('services, their files and missing imports are asked for, each once', async (t) => {
  const reflection = new Reflection(bounds);
  t.strictSame(asked(reflection.next()), [7, '*']);
  reflection.take(listed('grpc.reflection.v1.ServerReflection', 'shop.Shop'));
  t.strictSame(asked(reflection.next()), [4, 'shop.Shop'], 'its own service is left out');
  reflection.take(files(shop));
  t.strictSame(asked(reflection.next()), [3, 'types.proto']);
  reflection.take(files(types, shop));
  t.equal(reflection.next(), null);
  const descriptors = Descriptors.read(reflection.set());
  t.strictSame(descriptors.methodNames, ['shop.Shop/Get']);
  t.equal(descriptors.message('types.Item')!.fields.get(1)!.name, 'stars');
});

t.test('a server that sends imports along is not asked for them', async (t) => {
  const reflection = new Reflection(bounds);
  reflection.take(listed('shop.Shop'));
  reflection.next();
  reflection.take(files(shop, types));
  t.equal(reflection.next(), null);
});

t.test('an error, too much, and what is no answer end it', async (t) => {
  const fresh = () => new Reflection(bounds);
  t.throws(
    () =>
      fresh().take(
        message([
          7,
          [
            [1, 5],
            [2, 'not found'],
          ],
        ]),
      ),
    /it answered: not found/,
  );
  t.throws(() => fresh().take(files(shop)), /it did not list its services/);
  t.throws(() => fresh().take(Buffer.from([0xff])), /something else than types/);
  const names = Array.from({ length: 11 }, (_, i) => `s.S${i}`);
  t.throws(() => fresh().take(listed(...names)), /more than 10 services or files/);
  const large = fresh();
  large.take(listed('s.S'));
  t.throws(() => large.take(files(file('x'.repeat(11_000), []))), /larger than 10000 bytes/);
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (answers) => {
      const reflection = fresh();
      try {
        reflection.take(listed('a.B'));
        for (const answer of answers) reflection.take(answer);
      } catch (error) {
        if (!(error instanceof DescriptorFault)) throw error;
      }
    }),
  );
});
