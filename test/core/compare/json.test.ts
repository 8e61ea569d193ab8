import fc from 'fast-check';
import { type Json, JsonFault, JsonNumber, parseJson } from '../../../core/compare/json.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';

function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const members: Record<string, unknown> = Object.create(null);
  for (const [name, member] of value) members[name] = plain(member);
  return members;
}

function outcome(parse: () => unknown): { value: unknown } | 'refused' {
  try {
    return { value: parse() };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonFault) return 'refused';
    throw error;
  }
}

function reasonOf(text: string): string | null {
  try {
    parseJson(text);
  } catch (error) {
    return error instanceof JsonFault ? error.reason : String(error);
  }
  return null;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

t.test('any document is read as JSON.parse reads it', async () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(0, 1, 4), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      return same(plain(parseJson(spaced)), JSON.parse(spaced));
    }),
  );
});

t.test('any damaged document is refused where JSON.parse refuses it', async () => {
  const damaged = fc.tuple(
    fc.json(),
    fc.nat(),
    fc.nat(3),
    fc.constantFrom('', '"', ',', '}', '\\', '\n', '1', '-', '.', 'e'),
  );
  fc.assert(
    fc.property(damaged, ([text, at, gone, put]) => {
      const from = at % (text.length + 1);
      const broken = text.slice(0, from) + put + text.slice(from + gone);
      const [ours, theirs] = [outcome(() => plain(parseJson(broken))), outcome(() => JSON.parse(broken))];
      return same(ours, theirs);
    }),
    { numRuns: 2000 },
  );
});

t.test('a number keeps its text', async (t) => {
  t.strictSame(parseJson('[12345678901234567890, 1.0, -0, 1e400]'), [
    new JsonNumber('12345678901234567890'),
    new JsonNumber('1.0'),
    new JsonNumber('-0'),
    new JsonNumber('1e400'),
  ]);
});

t.test('a member may have any name', async (t) => {
  const object = parseJson('{"__proto__": 1, "a": 2, "a": 3}') as Map<string, Json>;
  t.strictSame([...object.keys()], ['__proto__', 'a']);
  t.strictSame(object.get('a'), new JsonNumber('3'), 'the last of one name counts');
});

t.test('depth and size are bounded', async (t) => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  t.ok(parseJson(nested(limits.jsonDepth + 1)));
  t.equal(reasonOf(nested(limits.jsonDepth + 2)), 'too-deep');
  t.equal(reasonOf('['.repeat(10_000)), 'too-deep');
  t.equal(reasonOf(`[${'1,'.repeat(limits.jsonValues)}1]`), 'too-many-values');
});

t.test('a string of a megabyte is read, plain or escaped', async (t) => {
  const plainText = 'x'.repeat(1024 * 1024);
  t.equal(parseJson(JSON.stringify(plainText)), plainText);
  const escaped = '\\"'.repeat(512 * 1024);
  t.equal(parseJson(JSON.stringify(escaped)), escaped);
  t.equal(reasonOf(JSON.stringify(escaped).slice(0, -1)), 'invalid-json');
});
