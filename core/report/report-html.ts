/**
 * A report as one self-contained page: no script, no request, and styles by their hash under a
 * Content-Security-Policy that allows nothing else. All text that a service or a client may have influenced
 * goes through `escapeHtml`. Pure.
 */
import { outcomeWords } from '../verdict/verdict-text.js';
import { byWeight, judgementText, nothingDifferentText } from './diffs-text.js';
import { countText } from './figures.js';
import { grpcMethodTable } from './grpc-methods.js';
import { escapeHtml } from './html-escape.js';
import { dotHtml, htmlTable } from './html-table.js';
import { mirrorHtml } from './mirror-html.js';
import { palette, placesIn } from './palette.js';
import { type PlotLine, percentilePlot } from './percentile-plot.js';
import type { Report } from './report.js';
import { reportStyle, reportStyleHash } from './report-style.js';
import { versionCells } from './report-text.js';
import { rolloutNoteLines } from './rollout-note.js';

const versionHeads = ['version', 'requests', 'errors', 'p50', 'p90', 'p99', 'p99.9', 'max'];
const samplesShown = 3;
const order = { fail: 0, undecided: 1, pass: 2 } as const;

export function reportHtml(report: Report): string {
  const title = escapeHtml(`umbra report of ${report.source}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${reportStyleHash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="dim">${[report.madeAt, ...report.facts.map((fact) => fact.join(' '))].map(escapeHtml).join(' · ')}</p>
${outcomes(report)}${rolloutNoteLines(report.rollouts)
  .map((line) => `<p>${escapeHtml(line)}</p>\n`)
  .join('')}${report.notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('\n')}
${verdictSection(report)}${report.mirrors.length === 0 ? '' : `<h2>Mirrors</h2>\n${mirrorSections(report)}\n`}<h2>Latency</h2>
${percentilePlot(plotLines(report))}
${versionTable(report)}
${methodTable(report)}${differences(report)}
${report.config === null ? '' : `<h2>Configuration</h2>\n<details><summary>current when this report was made</summary><pre tabindex="0">${escapeHtml(JSON.stringify(report.config, null, 2))}</pre></details>`}
</main>
</body>
</html>
`;
}

/**
 * `outcomes` comes first, because the page is read for it: each mirror's verdict, and the checks that decide
 * it.
 */
function outcomes(report: Report): string {
  const { verdict } = report;
  if (verdict === null || verdict.mirrors.length === 0) return '';
  const places = placesOf(report);
  const worstFirst = verdict.mirrors.toSorted((a, b) => order[a.outcome] - order[b.outcome]);
  const items = worstFirst.map(({ route, primary, shadow, outcome, checks }) => {
    const deciding = checks.filter((check) => check.outcome === outcome && outcome !== 'pass');
    const names = deciding.map(({ name }) => name).join(', ');
    const why =
      names === '' ? 'every check passes' : `${outcome === 'fail' ? 'failed' : 'undecided'}: ${names}`;
    const dot = dotHtml({ place: places.get(shadow) ?? 0, isRing: true });
    return (
      `<li class="${outcome}"><strong>${outcomeWords[outcome]}</strong>` +
      `<span>${dot}${escapeHtml(`${route}: ${shadow} against ${primary}`)}</span>` +
      `<span class="why">${escapeHtml(why)}</span></li>`
    );
  });
  return `<ul class="outcomes">${items.join('')}</ul>\n`;
}

function verdictSection({ verdict }: Report): string {
  if (verdict === null || verdict.mirrors.length === 0) return '';
  const sections = verdict.mirrors.map(
    ({ route, primary, shadow, outcome, checks, endpoints, examples, notes }) => {
      const heading = `${route}: ${shadow} against ${primary}`;
      const rows = [
        ...checks.map((check) => ({
          cells: [check.name, { text: outcomeWords[check.outcome], className: check.outcome }, check.text],
        })),
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
      ];
      return `<h3>${escapeHtml(heading)}: ${outcomeWords[outcome]}</h3>\n${htmlTable(['check', 'outcome', 'what was found'], rows, 'words checks')}`;
    },
  );
  return `<h2>Verdict</h2>\n${sections.join('\n')}\n`;
}

function mirrorSections({ mirrors, diffs }: Report): string {
  return mirrors
    .map((mirror) => {
      const isIts = (one: { route: string; version: string }): boolean =>
        one.route === mirror.route && one.version === mirror.to;
      return mirrorHtml(mirror, diffs?.mirrors.find(isIts) ?? null);
    })
    .join('\n');
}

/** `placesOf` returns the colours of the report's versions, which are those of the live page. */
function placesOf({ versions }: Report): Map<string, number> {
  return placesIn(
    palette.length,
    versions.map(({ name }) => name),
  );
}

function plotLines(report: Report): PlotLine[] {
  const places = placesOf(report);
  return report.versions.map(({ name, role, latency }) => ({
    name: `${name} ${role}`.trim(),
    place: places.get(name)!,
    dashed: role === 'shadow',
    histogram: latency,
  }));
}

function versionTable(report: Report): string {
  const { versions } = report;
  if (versions.length === 0) return '<p>No version was measured.</p>';
  const places = placesOf(report);
  return htmlTable(
    versionHeads,
    versions.map((version) => ({
      cells: [`${version.name} ${version.role}`.trim(), ...versionCells(version)],
      mark: { place: places.get(version.name)!, isRing: version.role === 'shadow' },
    })),
  );
}

function methodTable({ versions }: Report): string {
  const table = grpcMethodTable(versions);
  if (table === null) return '';
  const { heads, rows, more } = table;
  const cells = rows.map((row) => ({ cells: row }));
  const rest = more === 0 ? '' : `<p class="dim">and ${countText(more)} more</p>\n`;
  return `<h2>gRPC calls by method</h2>\n${htmlTable(heads, cells)}\n${rest}`;
}

function differences({ diffs }: Report): string {
  if (diffs === null) return '';
  if (diffs.groups.length === 0)
    return `<h2>Differences</h2>\n<p>${escapeHtml(nothingDifferentText(diffs))}</p>`;
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
  return `<h2>Differences</h2>\n${htmlTable(heads, rows, 'words')}`;
}
