import { readFileSync } from 'node:fs';
import { palette, placesIn } from '../../../core/report/palette.js';
import t from '../../support/tap.js';

const dashboard = new URL('../../../../workers/dashboard/', import.meta.url);
type Triple = readonly [number, number, number];

/** How far apart two colours must be in OKLab, where 0.02 can just be seen beside each other. */
const apartMin = 0.08;
/** The same for eyes without red or green receptors, for whom dashes help as well. */
const apartMinForFew = 0.05;
/** WCAG 2.2, success criterion 1.4.11. */
const contrastMin = 3;

/** Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB. */
const sights: Readonly<Record<string, readonly Triple[]>> = {
  all: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
};

function linear(hex: string): Triple {
  const part = (i: number): number => {
    const value = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function seen(matrix: readonly Triple[], [r, g, b]: Triple): Triple {
  const at = (i: number) => Math.min(1, Math.max(0, matrix[i][0] * r + matrix[i][1] * g + matrix[i][2] * b));
  return [at(0), at(1), at(2)];
}

/** Ottosson 2020. */
function oklab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function contrast(a: string, b: string): number {
  const luminance = ([r, g, b]: Triple) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const [low, high] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const style = readFileSync(new URL('style.css', dashboard), 'utf8');
const [lightStyle, darkStyle] = style.split('@media (prefers-color-scheme: dark)');
const valueIn = (text: string, name: string) => new RegExp(`--${name}: (#\\w+);`).exec(text)?.[1];

t.test(
  'the colours stay apart from each other, from trouble and from the ground, for all eyes',
  async (t) => {
    for (const [scheme, sheet] of [
      ['light', lightStyle],
      ['dark', darkStyle],
    ] as const) {
      const colours = [...palette.map((one) => one[scheme]), valueIn(sheet, 'bad')!];
      for (const [sight, matrix] of Object.entries(sights)) {
        const labs = colours.map((hex) => oklab(seen(matrix, linear(hex))));
        let closest = Number.POSITIVE_INFINITY;
        labs.forEach((a, i) => {
          for (const b of labs.slice(0, i))
            closest = Math.min(closest, Math.hypot(...a.map((x, k) => x - b[k])));
        });
        t.ok(closest >= (sight === 'all' ? apartMin : apartMinForFew), `${scheme}, ${sight}: ${closest}`);
      }
      for (const ground of ['panel', 'raised'])
        for (const hex of colours)
          t.ok(contrast(hex, valueIn(sheet, ground)!) >= contrastMin, `${hex} on ${ground}`);
    }
  },
);

t.test('the live page has the same colours, and gives them by the same rule', async (t) => {
  palette.forEach(({ light, dark }, i) => {
    t.equal(valueIn(lightStyle, `c-${i}`), light);
    t.equal(valueIn(darkStyle, `c-${i}`), dark);
  });
  const page = (await import(new URL('colours.js', dashboard).href)) as { placesIn: typeof placesIn };
  for (let n = 0; n < 40; n++) {
    const names = Array.from({ length: n }, (_, i) => `dienst-ü${(i * 7919) % 101}-v${i}`);
    t.strictSame([...page.placesIn(palette.length, names)], [...placesIn(palette.length, names)]);
  }
});

t.test(
  'a version keeps its colour whatever order versions come in, and no colour is used twice too early',
  async (t) => {
    const names = Array.from({ length: 30 }, (_, i) => `v${i}`);
    const places = placesIn(palette.length, names);
    t.strictSame([...placesIn(palette.length, names.toReversed())], [...places]);
    t.equal(new Set([...placesIn(palette.length, names.slice(0, 12)).values()]).size, 12);
    const uses = new Array<number>(palette.length).fill(0);
    for (const place of places.values()) uses[place]++;
    t.ok(Math.max(...uses) - Math.min(...uses) <= 1, `${uses}`);
    t.equal(placesIn(palette.length, ['v1']).get('v1'), places.get('v1'));
  },
);
