/**
 * The colours of versions, the same on the live page and in reports, in every tab and after a restart. A
 * version's place in the palette is a hash of its name; one that is taken leads to the next free one, in the
 * order of the names. With more versions than colours a colour is used again. Pure.
 *
 * workers/dashboard/colours.js has the same rule for the page, which has no build step, and a test holds the
 * two equal. The colours stay apart in both schemes, for eyes that see no red or no green too
 * (test/core/report/palette.test.ts), and none is close to the red that stands for trouble.
 */
export interface Colour {
  readonly light: string;
  readonly dark: string;
}

export const palette: readonly Colour[] = [
  { light: '#b27f02', dark: '#e2a520' },
  { light: '#056180', dark: '#49abd6' },
  { light: '#a45b9f', dark: '#bf8ab9' },
  { light: '#32a155', dark: '#5ce483' },
  { light: '#0b4196', dark: '#4588f7' },
  { light: '#399b95', dark: '#8debe5' },
  { light: '#794368', dark: '#ecaed7' },
  { light: '#781860', dark: '#d058ae' },
  { light: '#528dc9', dark: '#97c9fd' },
  { light: '#8a70ec', dark: '#b0a2fe' },
  { light: '#127a6b', dark: '#2bccb4' },
  { light: '#8841b4', dark: '#ad67dc' },
];

/** `placesIn` returns the place of each name in a palette of `size` colours. */
export function placesIn(size: number, names: Iterable<string>): Map<string, number> {
  const places = new Map<string, number>();
  const uses = new Array<number>(size).fill(0);
  for (const name of [...new Set(names)].sort()) {
    const fewest = Math.min(...uses);
    let place = hashOf(name) % size;
    while (uses[place] > fewest) place = (place + 1) % size;
    uses[place]++;
    places.set(name, place);
  }
  return places;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** `hashOf` returns FNV-1a over the UTF-8 bytes of the text, as an unsigned 32-bit integer. */
function hashOf(text: string): number {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}
