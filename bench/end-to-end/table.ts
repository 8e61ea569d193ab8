/**
 * Plain-text tables: the first column to the left, numbers to the right, a dash where nothing was measured.
 */

const gap = '  ';

export function tableText(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, column) => {
        const cell = cells[column] ?? '';
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(gap)
      .trimEnd();
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export function count(value: number): string {
  return known(value, () => Math.round(value).toLocaleString('en-US'));
}

export function fixed(value: number, digits: number): string {
  return known(value, () => value.toFixed(digits));
}

/** Microseconds as milliseconds. */
export function ms(us: number): string {
  return known(us, () => (us / 1000).toFixed(2));
}

export function mebibytes(bytes: number): string {
  return known(bytes, () => (bytes / 2 ** 20).toFixed(0));
}

export function percent(share: number): string {
  return known(share, () => `${(share * 100).toFixed(1)} %`);
}

function known(value: number, text: () => string): string {
  return Number.isNaN(value) ? '-' : text();
}
