import fc from 'fast-check';
import { exact, sameNumber } from '../../../core/compare/decimal.js';
import t from '../../support/tap.js';

const near = (value: string) => ({ relative: false, value });
const within = (value: string) => ({ relative: true, value });

t.test(
  'one value in several spellings is the same, and one digit of twenty makes a difference',
  async (t) => {
    for (const text of ['1', '1.0', '10e-1', '0.1E+1', '1.000e0']) t.ok(sameNumber('1', text, exact), text);
    t.ok(sameNumber('0', '-0.0', exact));
    t.ok(sameNumber('0e5', '0', exact));
    t.notOk(sameNumber('12345678901234567890', '12345678901234567891', exact));
    t.notOk(sameNumber('1', '-1', exact));
    t.notOk(sameNumber('0.1', '0.10000000000000001', exact));
  },
);

t.test('a tolerance is absolute or a percentage of the larger, bounds included', async (t) => {
  t.ok(sameNumber('1', '1.001', near('0.001')));
  t.notOk(sameNumber('1', '1.0011', near('0.001')));
  t.ok(sameNumber('-1', '1', near('2')));
  t.ok(sameNumber('99', '100', within('1')));
  t.notOk(sameNumber('98.9', '100', within('1')));
  t.ok(sameNumber('-100', '-99', within('1')));
  t.notOk(sameNumber('12345678901234567890', '12345678901234567892', near('1')));
});

t.test('exponents that no machine can bring together are a difference, at once', async (t) => {
  t.notOk(sameNumber('1e999999999', '1', near('5')));
  t.notOk(sameNumber('1e-999999999', '1e999999999', within('1')));
  t.ok(sameNumber('1e999999999', '10e999999998', exact));
});

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.integer({ min: -30, max: 30 }))
  .map(([digits, exponent]) => ({ digits, exponent, text: `${digits}e${exponent}` }));

t.test('any two numbers are compared as exact arithmetic does', async () => {
  const scaled = (value: { digits: bigint; exponent: number }) =>
    value.digits * 10n ** BigInt(value.exponent + 60);
  fc.assert(
    fc.property(decimal, decimal, fc.bigInt({ min: 0n, max: 10n ** 12n }), (a, b, bound) => {
      const distance = scaled(a) - scaled(b);
      const close = (distance < 0n ? -distance : distance) <= bound * 10n ** 60n;
      return (
        sameNumber(a.text, b.text, near(String(bound))) === close &&
        sameNumber(b.text, a.text, near(String(bound))) === close
      );
    }),
  );
});
