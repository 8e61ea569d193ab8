import fc from 'fast-check';
import {
  durationMsMax,
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseShare,
  parseSize,
  percentOfShare,
  Refusal,
} from '../../config/units.js';
import t from '../support/tap.js';

t.test('a duration, a size and a rate survive being written and read', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: durationMsMax }), (ms) => parseDuration(formatDuration(ms)) === ms),
  );
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(formatSize(bytes)) === bytes));
  fc.assert(fc.property(fc.integer({ min: 1 }), (rate) => parseRate(formatRate(rate)) === rate));
  t.equal(formatDuration(300_000), '5m');
  t.equal(formatSize(8 * 1024 * 1024), '8MiB');
});

t.test('every step of 0.0001 % is exact, as a number, as text and with a percent sign', async (t) => {
  for (let millionths = 0; millionths <= 1_000_000; millionths += 7) {
    const percent = percentOfShare(millionths);
    const asText = `${Math.floor(millionths / 10_000)}.${String(millionths % 10_000).padStart(4, '0')}`;
    if (
      parseShare(percent) !== millionths ||
      parseShare(asText) !== millionths ||
      parseShare(`${asText}%`) !== millionths
    ) {
      t.fail(`${millionths} millionths`);
      return;
    }
  }
  t.equal(parseShare(0.07), 700);
  t.equal(parseShare(0.0001), 1);
  t.equal(parseShare('0.0001%'), 1);
  t.ok(Object.is(parseShare(-0), 0), 'minus zero is zero');
});

t.test('what is no exact unit is refused', async (t) => {
  for (const text of [
    '',
    '5',
    '5 s',
    '5sec',
    '-5s',
    '1.5s',
    '1h30m',
    's',
    '597h',
    '99999999999999999999h',
    '５s',
  ]) {
    t.ok(parseDuration(text) instanceof Refusal, `duration ${text}`);
  }
  for (const text of ['', '5', '5KB', '5k', '1.5MiB', '-1B', '9007199254740993B', '9999999GiB0']) {
    t.ok(parseSize(text) instanceof Refusal, `size ${text}`);
  }
  for (const text of ['', '5', '0/s', '-1/s', '5/m', '1.5/s', '9007199254740993/s']) {
    t.ok(parseRate(text) instanceof Refusal, `rate ${text}`);
  }
  for (const share of [
    '',
    '1%%',
    '-1',
    '101',
    '100.0001%',
    '0.00001',
    '1e1',
    ' 1',
    100.0001,
    0.00001,
    -0.0001,
    Number.NaN,
    Infinity,
  ]) {
    t.ok(parseShare(share) instanceof Refusal, `share ${share}`);
  }
});
