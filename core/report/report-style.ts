/**
 * The style sheet of a report: dark and light, from 360 px up, and for paper. Colours are those of the live
 * page. Pure.
 */
import { createHash } from 'node:crypto';
import { palette } from './palette.js';

const colours = (scheme: 'light' | 'dark'): string =>
  palette.map((colour, place) => `--c${place}:${colour[scheme]}`).join(';');
const light = `--ink:#1b1f24;--dim:#5b6570;--ground:#fff;--raised:#f5f4f1;--rule:#d9dee3;--good:#1e7d52;--bad:#bf2734;--bad-soft:#fbe9e8;${colours('light')}`;
const dark = `--ink:#e4e8ec;--dim:#98a3ae;--ground:#14171a;--raised:#1d2126;--rule:#31383f;--good:#4fc48f;--bad:#ff7a7d;--bad-soft:#3a1c24;${colours('dark')}`;
const places = palette.map((_, place) => `.c${place}{--c:var(--c${place})}`).join('');

export const reportStyle = `
:root{color-scheme:light dark;${light}}
@media screen and (prefers-color-scheme:dark){:root{${dark}}}
${places}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1.5rem 1rem 4rem;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.4rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}h3{font-size:1rem;margin:1.4rem 0 .3rem;overflow-wrap:anywhere}
p,figure,dl,dd{margin:.4rem 0}.dim{color:var(--dim)}.note{border-left:3px solid var(--bad);padding-left:.7rem}
.outcomes{list-style:none;margin:1rem 0;padding:0;display:grid;gap:.5rem}
.outcomes li{display:grid;grid-template-columns:8.5rem minmax(0,1fr);gap:.2rem 1rem;align-items:baseline;padding:.7rem 1rem;border:1px solid var(--rule);border-left:5px solid var(--dim);border-radius:8px;background:var(--raised)}
.outcomes strong{font-size:1.15rem;letter-spacing:.02em}.outcomes .why{grid-column:2;color:var(--dim)}
.outcomes .fail{border-left-color:var(--bad)}.outcomes .pass{border-left-color:var(--good)}
.fail strong,td.fail,.bad{color:var(--bad)}.pass strong,td.pass{color:var(--good)}td.fail,td.pass,td.undecided{font-weight:600}
.dot{display:inline-block;width:.65em;height:.65em;border-radius:50%;background:var(--c);margin-right:.45em}
.dot.ring{background:none;border:.18em solid var(--c)}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,11rem),1fr));gap:.3rem 1.4rem}.facts dt{color:var(--dim);font-size:.85rem}.facts dd{margin:0;font-weight:600}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .8rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap;vertical-align:baseline}
th:first-child,td:first-child,.words td,.words th{text-align:left}.words td{white-space:pre-wrap;overflow-wrap:anywhere}
th:first-child,td:first-child{padding-left:0}.why-table td:last-child,.why-table th:last-child{text-align:left;white-space:normal;min-width:16rem}
.checks td:nth-child(-n+2){white-space:nowrap;overflow-wrap:normal}
th{color:var(--dim);font-weight:500}tr.noise td{color:var(--dim)}
svg{width:100%;height:auto}.key{width:28px;height:8px;margin-right:.4rem;vertical-align:middle}
.grid{stroke:var(--rule);stroke-width:1}.tick{fill:var(--dim);font:12px system-ui,sans-serif}
.line{fill:none;stroke-width:2;stroke:var(--c)}.dashed{stroke-dasharray:6 3}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;list-style:none;padding:0;margin:.3rem 0}
pre{overflow-x:auto;font-size:13px}summary{cursor:pointer}
@media (width<600px){
body{padding:1rem .7rem 3rem;font-size:14px}
.outcomes li{grid-template-columns:minmax(0,1fr)}.outcomes .why{grid-column:1}
th,td{padding:.25rem .5rem}
.words table,.words thead,.words tbody,.words tr,.words td{display:block}.words{display:block}
.words thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.words tr{padding:.5rem 0;border-bottom:1px solid var(--rule)}.words td{border:0;padding:.1rem 0}
.words td:not(:empty)::before{content:attr(data-head) "  ";color:var(--dim);font-size:.85em}
.tick{font-size:26px}
}
@media print{
@page{margin:14mm}
body{max-width:none;padding:0;font-size:9.5pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
h2{break-after:avoid;margin-top:1.4rem}h3{break-after:avoid}tr,figure,.outcomes li{break-inside:avoid}thead{display:table-header-group}
.scroll{overflow:visible}table{max-width:100%}th,td{padding:.15rem .5rem .15rem 0}th{white-space:normal}
td:first-child,.words td,.why-table td:last-child{white-space:normal;overflow-wrap:anywhere}.checks td:nth-child(-n+2){white-space:nowrap}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
svg{max-height:85mm}svg.key{max-height:8px}
}
`;
export const reportStyleHash = createHash('sha256').update(reportStyle).digest('base64');
