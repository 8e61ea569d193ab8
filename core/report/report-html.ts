/**
 * A report as one self-contained page: no script, no request, and styles by their hash under a
 * Content-Security-Policy that allows nothing else. All text that a service or a client may have influenced
 * goes through `escapeHtml`. Pure.
 */
import { createHash } from 'node:crypto';
import { signedPercentileUs } from '../record/histogram.js';
import { outcomeWords } from '../verdict/verdict-text.js';
import { accountsText } from './comparison-text.js';
import { byWeight, judgementText } from './diffs-text.js';
import { endpointTable } from './endpoint-table.js';
import { countText, durationText } from './figures.js';
import { escapeHtml } from './html-escape.js';
import { type PlotLine, percentilePlot } from './percentile-plot.js';
import type { MirrorReport, Report } from './report.js';
import { versionCells } from './report-text.js';
import { keptText } from './sink-text.js';

const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#5b6570;--ground:#fff;--rule:#d9dee3;--c0:#1f5fbf;--c1:#c2410c;--c2:#15803d;--c3:#7e22ce;--c4:#a16207;--c5:#0f766e}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ec;--dim:#98a3ae;--ground:#14171a;--rule:#31383f;--c0:#7fb0ff;--c1:#ffa26b;--c2:#77d598;--c3:#cfa2ff;--c4:#e5c15c;--c5:#66d3c7}}
body{margin:0 auto;max-width:70rem;padding:1.5rem 1rem 4rem;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}h3{font-size:1rem;margin:1.4rem 0 .3rem}
p,figure{margin:.4rem 0}.dim{color:var(--dim)}.note{border-left:3px solid var(--c1);padding-left:.7rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .8rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
th:first-child,td:first-child,.words td,.words th{text-align:left}.words td{white-space:pre-wrap;overflow-wrap:anywhere}
th{color:var(--dim);font-weight:500}tr.noise td{color:var(--dim)}
svg{width:100%;height:auto}.key{width:28px;height:8px;margin-right:.4rem;vertical-align:middle}
.grid{stroke:var(--rule);stroke-width:1}.tick{fill:var(--dim);font:12px system-ui,sans-serif}
.line{fill:none;stroke-width:2}.dashed{stroke-dasharray:6 3}
.line0{stroke:var(--c0)}.line1{stroke:var(--c1)}.line2{stroke:var(--c2)}.line3{stroke:var(--c3)}.line4{stroke:var(--c4)}.line5{stroke:var(--c5)}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;list-style:none;padding:0;margin:.3rem 0}
pre{overflow-x:auto;font-size:13px}summary{cursor:pointer}
`;
const styleHash = createHash('sha256').update(style).digest('base64');
const versionHeads = ['version', 'requests', 'errors', 'p50', 'p90', 'p99', 'p99.9', 'max'];
const samplesShown = 3;

export function reportHtml(report: Report): string {
  const title = escapeHtml(`umbra report of ${report.source}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<h1>${title}</h1>
<p class="dim">${[report.madeAt, ...report.facts.map((fact) => fact.join(' '))].map(escapeHtml).join(' · ')}</p>
${report.notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('\n')}
${verdictSection(report)}<h2>Latency</h2>
${percentilePlot(plotLines(report))}
${versionTable(report)}
${report.mirrors.length === 0 ? '' : `<h2>Mirrors</h2>\n${report.mirrors.map(mirrorSection).join('\n')}`}
${differences(report)}
${report.config === null ? '' : `<h2>Configuration</h2>\n<details><summary>current when this report was made</summary><pre>${escapeHtml(JSON.stringify(report.config, null, 2))}</pre></details>`}
</body>
</html>
`;
}

/** `verdictSection` comes first, because the page is read for it. */
function verdictSection({ verdict }: Report): string {
  if (verdict === null || verdict.mirrors.length === 0) return '';
  const sections = verdict.mirrors.map(
    ({ route, primary, shadow, outcome, checks, endpoints, examples, notes }) =>
      `<h3>${escapeHtml(`${route}: ${shadow} against ${primary}`)}: ${outcomeWords[outcome]}</h3>\n${table(
        ['check', 'outcome', 'what was found'],
        [
          ...checks.map((check) => ({ cells: [check.name, outcomeWords[check.outcome], check.text] })),
          ...endpoints.map(({ check, endpoint, text }) => ({
            cells: [check, 'endpoint', `${endpoint}: ${text}`],
          })),
          ...examples.map((pair) => ({
            cells: [
              'example',
              '',
              `${pair.request} (id ${pair.id}), ${pair.place}: ${primary} ${pair.primary} | ${shadow} ${pair.shadow}`,
            ],
          })),
          ...notes.map((note) => ({ cells: ['note', '', note], className: 'noise' })),
        ],
        'words',
      )}`,
  );
  return `<h2>Verdict</h2>\n${sections.join('\n')}\n`;
}

function plotLines({ versions }: Report): PlotLine[] {
  return versions.map(({ name, role, latency }) => ({
    name: `${name} ${role}`.trim(),
    dashed: role === 'shadow',
    histogram: latency,
  }));
}

function versionTable({ versions }: Report): string {
  if (versions.length === 0) return '<p>No version was measured.</p>';
  return table(
    versionHeads,
    versions.map((version) => ({
      cells: [`${version.name} ${version.role}`.trim(), ...versionCells(version)],
    })),
  );
}

function mirrorSection(mirror: MirrorReport): string {
  const { route, primary, to, share, slower, faster, counts } = mirror;
  const head = `${route}: ${primary ?? 'primary'} → ${to}${share === null ? '' : `, ${share}`}`;
  const pairs = slower.count + faster.count;
  const delta = (p: number): string => {
    const us = signedPercentileUs(faster, slower, p);
    return `${us > 0 ? '+' : ''}${durationText(us)}`;
  };
  const parts = [`<h3>${escapeHtml(head)}</h3>`];
  if (counts !== null) parts.push(`<p>${escapeHtml(accountsText(counts))}</p>`);
  if (counts !== null && mirror.isSink) parts.push(`<p>${escapeHtml(keptText(counts))}</p>`);
  if (pairs > 0) {
    parts.push(
      '<p class="dim">The shadow’s latency less the primary’s, request by request:</p>',
      table(
        [
          'pairs',
          'slower',
          'faster',
          'p1',
          'p50',
          'p90',
          'p99',
          ...(counts === null ? [] : ['different', 'status differs']),
        ],
        [
          {
            cells: [
              ...[pairs, slower.count, faster.count].map(countText),
              ...[1, 50, 90, 99].map(delta),
              ...(counts === null ? [] : [counts.different, counts.statusDifferent].map(countText)),
            ],
          },
        ],
      ),
    );
  }
  const { endpoints } = mirror;
  if (endpoints.length > 0) {
    const { heads, rows, more } = endpointTable(endpoints, primary ?? 'primary', to);
    parts.push(
      '<p class="dim">Pairs by endpoint; latencies are of pairs without an error, in steps of up to 6 %:</p>',
      table(
        heads,
        rows.map((cells) => ({ cells })),
      ),
      ...(more === 0 ? [] : [`<p class="dim">and ${countText(more)} more endpoints</p>`]),
    );
  }
  return parts.join('\n');
}

function differences({ diffs }: Report): string {
  if (diffs === null) return '';
  if (diffs.groups.length === 0) return '<h2>Differences</h2>\n<p>None were found.</p>';
  const rows = [...diffs.groups].sort(byWeight).map((group) => {
    const { route, version, endpoint, kind, path, change, count, compared, noise, samples } = group;
    const shown = samples.slice(-samplesShown);
    const sides = (side: 'primary' | 'shadow'): string => shown.map((sample) => sample[side]).join('\n');
    const seen = `${countText(count)} of ${countText(compared)}`;
    const judgement = judgementText(group);
    return {
      cells: [
        route,
        version,
        endpoint,
        kind,
        path,
        change,
        seen,
        judgement,
        sides('primary'),
        sides('shadow'),
      ],
      className: noise ? 'noise' : '',
    };
  });
  const heads = ['route', 'version', 'endpoint', 'kind', 'where', 'change', 'pairs', '', 'primary', 'shadow'];
  return `<h2>Differences</h2>\n${table(heads, rows, 'words')}`;
}

function table(
  heads: readonly string[],
  rows: readonly { cells: readonly string[]; className?: string }[],
  className = '',
): string {
  const attribute = (name: string): string => (name === '' ? '' : ` class="${name}"`);
  const body = rows.map(
    ({ cells, className: rowClass = '' }) =>
      `<tr${attribute(rowClass)}>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return (
    `<div class="scroll"><table${attribute(className)}><thead><tr>${heads.map((head) => `<th scope="col">${escapeHtml(head)}</th>`).join('')}</tr></thead>` +
    `<tbody>${body.join('')}</tbody></table></div>`
  );
}
