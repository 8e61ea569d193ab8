/** What the isolation bench measures, and how its cells are printed and judged. */
import { median, medianInterval, spread } from './numbers.js';
import type { OriginMode } from './origins.js';
import type { PacedResult } from './paced.js';
import { count, ms, tableText } from './table.js';
import { type Aim, isAtMost } from './verdict.js';

/** What a client sends. */
export interface Shape {
  readonly name: string;
  readonly bodyBytes: number;
}

/** What the shadow does. */
export interface State {
  readonly name: string;
  readonly begins: OriginMode;
  /** What it turns to in the middle of the measurement; null: nothing. */
  readonly turns: OriginMode | null;
}

/** One measurement with the mirror on, and the one without that was taken right before it. */
export interface Cell {
  readonly side: string;
  readonly shape: string;
  readonly state: string;
  readonly off: PacedResult;
  readonly on: PacedResult;
  /** Requests that reached the shadow. */
  readonly copies: number;
}

export const shapes: readonly Shape[] = [
  { name: 'GET', bodyBytes: 0 },
  { name: 'POST 64 KB', bodyBytes: 65_536 },
];

export const states: readonly State[] = [
  { name: 'healthy', begins: 'answering', turns: null },
  { name: '1 s slow', begins: 'slow', turns: null },
  { name: 'hanging', begins: 'hanging', turns: null },
  { name: 'refusing', begins: 'refusing', turns: null },
  { name: 'resetting', begins: 'resetting', turns: null },
  { name: '10 MB answers', begins: 'flooding', turns: null },
  { name: 'dying', begins: 'answering', turns: 'refusing' },
];

const isUmbra = (side: string): boolean => side.startsWith('umbra');
const p99RatioMax = 1.05;
/** A generator that was later than this was itself kept from its CPU, and so were the origins beside it. */
const lateUsMax = 20_000;

export function isolationText(cells: readonly Cell[]): string {
  const heads = [
    'side, shape, shadow',
    'p50 off',
    'p50 on',
    'p99 off',
    'p99 on ms',
    'p99 on/off',
    'least..most',
    'p99.9 on',
    'failed',
    'unsent',
    'copies',
  ];
  const rows = groups(cells).map(({ name, cells: rounds }) => {
    const p99 = spread(rounds.map(p99Ratio));
    return [
      name,
      ms(median(rounds.map(({ off }) => off.p50Us))),
      ms(median(rounds.map(({ on }) => on.p50Us))),
      ms(median(rounds.map(({ off }) => off.p99Us))),
      ms(median(rounds.map(({ on }) => on.p99Us))),
      p99.median.toFixed(2),
      `${p99.min.toFixed(2)}..${p99.max.toFixed(2)}`,
      ms(median(rounds.map(({ on }) => on.p999Us))),
      count(sum(rounds, ({ on }) => on.errors)),
      count(sum(rounds, ({ on }) => on.unsent)),
      count(sum(rounds, ({ copies }) => copies)),
    ];
  });
  const results = cells.flatMap(({ off, on }) => [off, on]);
  const disturbed = results.filter((one) => one.lateUs > lateUsMax).length;
  const note = `\n\nDISTURBED: in ${disturbed} of ${results.length} measurements the generator was more than ${ms(lateUsMax)} ms behind its schedule`;
  return tableText(heads, rows) + (disturbed > 0 ? note : '');
}

/** Only umbra is judged, each side of it by itself. */
export function isolationAims(cells: readonly Cell[]): Aim[] {
  const sides = [...new Set(cells.map(({ side }) => side))].filter(isUmbra);
  return sides.flatMap((side) =>
    aimsOf(cells.filter((cell) => cell.side === side)).map((aim) => ({
      ...aim,
      name: `${side}: ${aim.name}`,
    })),
  );
}

function aimsOf(ours: readonly Cell[]): Aim[] {
  const results = ours.flatMap(({ off, on }) => [off, on]);
  const failed = sum(results, (one) => one.errors);
  const unsent = sum(results, (one) => one.unsent);
  const felt = groups(ours).map(({ name, cells: rounds }) => {
    const ratios = rounds.map(p99Ratio);
    const interval = medianInterval(ratios);
    return {
      text: `${name} ${median(ratios).toFixed(2)}`,
      isMet: isAtMost(interval, p99RatioMax),
      isBounded: Number.isFinite(interval.high),
    };
  });
  const missed = felt.filter(({ isMet }) => isMet === false);
  const untold = felt.filter(({ isMet }) => isMet === null);
  const whyUntold = untold.every(({ isBounded }) => isBounded)
    ? 'rounds differ too much'
    : 'there are too few rounds (--rounds 6 at least)';
  return [
    { name: 'no failed client request in any state', found: `${failed} failed`, isMet: failed === 0 },
    {
      name: `p99 with the mirror on within ${p99RatioMax} of off, in every cell`,
      found: [
        `${felt.length - missed.length - untold.length} of ${felt.length} are`,
        ...missed.map(({ text }) => `${text} is not`),
        ...(untold.length > 0 ? [`${whyUntold} to tell of ${untold.length}`] : []),
      ].join('; '),
      isMet: missed.length > 0 ? false : untold.length > 0 ? null : true,
    },
    unsent === 0
      ? { name: 'the rate was kept', found: 'every request was sent', isMet: true }
      : {
          name: 'the rate was kept',
          found: `${unsent} requests never got a connection: choose a lower --rate`,
          isMet: null,
        },
  ];
}

interface Group {
  readonly name: string;
  readonly cells: Cell[];
}

function groups(cells: readonly Cell[]): Group[] {
  const byName = new Map<string, Group>();
  for (const cell of cells) {
    const name = `${cell.side}, ${cell.shape}, ${cell.state}`;
    const group = byName.get(name) ?? { name, cells: [] };
    group.cells.push(cell);
    byName.set(name, group);
  }
  const first = ({ cells: [cell] }: Group): number => Number(isUmbra(cell.side));
  return [...byName.values()].sort((a, b) => first(b) - first(a));
}

function p99Ratio({ off, on }: Cell): number {
  return on.p99Us / off.p99Us;
}

function sum<T>(values: readonly T[], figure: (one: T) => number): number {
  return values.reduce((total, one) => total + figure(one), 0);
}
