/**
 * A case of `peers` as an SVG: CPU time a request of every target, a bar for the median and a whisker from
 * least to most. Pure.
 */
import type { Measurement } from './comparison.js';
import { spread } from './numbers.js';

const width = 720;
const left = 130;
const right = 150;
const top = 56;
const rowHeight = 34;
const barHeight = 18;
const ours = '#3b6fb6';
const theirs = '#9aa5b1';
const ink = '#1f2933';

/** Targets without CPU time of their own are left out. */
export function casePlot(name: string, what: string, measured: readonly Measurement[]): string {
  const targets = [...new Set(measured.map(({ target }) => target))];
  const rows = targets
    .map((target) => {
      const rounds = measured.filter((one) => one.target === target);
      return {
        target,
        cpu: spread(rounds.map((one) => one.cpuUsPerRequest)),
        rate: spread(rounds.map((one) => one.requests / one.seconds)).median,
        errors: rounds.reduce((sum, one) => sum + one.errors, 0),
      };
    })
    .filter(({ cpu }) => Number.isFinite(cpu.median));
  const most = Math.max(...rows.map(({ cpu }) => cpu.max));
  const x = (us: number): number => round(left + ((width - left - right) * us) / most);
  const height = top + rows.length * rowHeight + 12;
  const bars = rows.map(({ target, cpu, rate, errors }, index) => {
    const y = top + index * rowHeight;
    const middle = y + barHeight / 2;
    const fill = target.startsWith('umbra') ? ours : theirs;
    const words = `${cpu.median.toFixed(1)} us, ${Math.round(rate).toLocaleString('en-US')}/s${errors > 0 ? `, ${errors} errors` : ''}`;
    return `  <text x="${left - 10}" y="${middle + 4}" text-anchor="end">${escaped(target)}</text>
  <rect x="${left}" y="${y}" width="${round(x(cpu.median) - left)}" height="${barHeight}" fill="${fill}"/>
  <path d="M${x(cpu.min)} ${middle}H${x(cpu.max)}M${x(cpu.min)} ${middle - 4}v8M${x(cpu.max)} ${middle - 4}v8" stroke="${ink}" fill="none"/>
  <text x="${round(x(cpu.max) + 8)}" y="${middle + 4}">${words}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="${ink}">
  <title>${escaped(`${name}: CPU time a request of every target`)}</title>
  <rect width="${width}" height="${height}" fill="#ffffff"/>
  <text x="12" y="22" font-size="15" font-weight="600">${escaped(name)}</text>
  <text x="12" y="40">${escaped(what)}; CPU time a request, median of the rounds, least to most</text>
${bars.join('\n')}
</svg>
`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
