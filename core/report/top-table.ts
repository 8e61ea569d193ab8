/**
 * Lines of `umbra top` as spans of text with a tone, and tables whose names are never cut off: a name that
 * is too long has a line of its own, and a narrow terminal shows fewer columns of figures. Pure.
 */

export type Tone = 'plain' | 'head' | 'dim' | 'bad' | 'warn';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}
export type Line = readonly Span[];

export interface TopRow {
  readonly name: string;
  readonly cells: readonly Span[];
  /** Sentences below the row. */
  readonly below: readonly Line[];
}

const nameWidthMin = 20;
const cellWidth = 10;
const indent = '  ';

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text, tone };
}

/** `tableLines` fits a head and rows into `columns` characters. */
export function tableLines(heads: readonly string[], rows: readonly TopRow[], columns: number): Line[] {
  const [first = '', ...others] = heads;
  const longest = Math.max(first.length, ...rows.map(({ name }) => [...printable(name)].length)) + 1;
  const nameWidth = Math.min(
    columns,
    Math.max(nameWidthMin, Math.min(longest, columns - others.length * cellWidth)),
  );
  const figures = Math.min(others.length, Math.floor((columns - nameWidth) / cellWidth));
  const cellsOf = (cells: readonly Span[]): Line =>
    cells.slice(0, figures).map(({ text, tone }) => span(text.padStart(cellWidth), tone));
  return [
    ...wrapped(
      [span(first.padEnd(nameWidth), 'head'), ...cellsOf(others.map((text) => span(text, 'head')))],
      columns,
    ),
    ...rows.flatMap(({ name, cells, below }) => {
      const shown = printable(name);
      const sentences = below.flatMap((line) => wrapped([span(indent), ...line], columns));
      if ([...shown].length < nameWidth)
        return [[span(shown.padEnd(nameWidth)), ...cellsOf(cells)], ...sentences];
      return [
        ...wrapped([span(shown)], columns),
        [span(' '.repeat(nameWidth)), ...cellsOf(cells)],
        ...sentences,
      ];
    }),
  ];
}

/**
 * `wrapped` breaks a line at spaces where it is longer than `columns`, and within a word that is longer
 * itself.
 */
export function wrapped(line: Line, columns: number): Line[] {
  const lines: Span[][] = [[]];
  let used = 0;
  for (const { text, tone } of line) {
    for (const word of printable(text).split(/(?<= )(?=[^ ])/)) {
      let rest = [...word];
      const isTooLong = used > 0 && used + word.trimEnd().length > columns;
      if (isTooLong) {
        lines.push([]);
        used = 0;
      }
      while (rest.length > 0) {
        const part = rest.slice(0, Math.max(0, columns - used));
        if (part.length === 0) {
          if (rest.join('').trim() === '') break;
          lines.push([]);
          used = 0;
          continue;
        }
        append(lines.at(-1)!, span(part.join(''), tone));
        used += part.length;
        rest = rest.slice(part.length);
      }
    }
  }
  return lines;
}

/** `append` joins spans of one tone. */
function append(line: Span[], { text, tone }: Span): void {
  const last = line.at(-1);
  if (last?.tone === tone) line[line.length - 1] = span(last.text + text, tone);
  else line.push(span(text, tone));
}

const codes: Readonly<Record<Tone, string>> = { plain: '', head: '1', dim: '2', bad: '31', warn: '33' };

/** `renderLine` returns the line as text, with ECMA-48 colours where `isColoured`. */
export function renderLine(line: Line, isColoured: boolean): string {
  const text = line.map((one) => one.text).join('');
  if (!isColoured) return text.trimEnd();
  return line
    .map(({ text, tone }) => (codes[tone] === '' ? text : `\x1b[${codes[tone]}m${text}\x1b[0m`))
    .join('');
}

/** Names come from elsewhere, and must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, '?');
}
