/**
 * A verdict as JUnit XML, which pipelines show beside their tests: a mirror is a suite and a check a case. A
 * check that fails is a failure and one that is undecided an error, because both hold a release back. Pure.
 */
import { escapeHtml } from '../report/html-escape.js';
import type { Check, MirrorVerdict, Verdict } from './verdict.js';

export function junitXml({ mirrors }: Verdict): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="umbra verdict">\n${mirrors.map(suite).join('')}</testsuites>\n`;
}

function suite({ route, primary, shadow, checks, endpoints, examples }: MirrorVerdict): string {
  const count = (outcome: Check['outcome']): number =>
    checks.filter((check) => check.outcome === outcome).length;
  const name = `${route}: ${shadow} against ${primary}`;
  const shown = [
    ...endpoints.map(({ check, endpoint, text }) => `${check}: ${endpoint}: ${text}`),
    ...examples.map((one) => `${one.request} (id ${one.id}), ${one.place}: ${one.primary} | ${one.shadow}`),
  ].join('\n');
  return (
    `  <testsuite name="${xml(name)}" tests="${checks.length}" failures="${count('fail')}" errors="${count('undecided')}">\n` +
    `${checks.map((check) => testCase(name, check)).join('')}` +
    `${shown === '' ? '' : `    <system-out>${xml(shown)}</system-out>\n`}  </testsuite>\n`
  );
}

function testCase(suiteName: string, { name, outcome, text }: Check): string {
  const head = `    <testcase classname="${xml(suiteName)}" name="${name}"`;
  if (outcome === 'pass') return `${head}/>\n`;
  const tag = outcome === 'fail' ? 'failure' : 'error';
  return `${head}><${tag} message="${xml(text)}"/></testcase>\n`;
}

/** XML 1.0 has no way to write most control characters. */
function xml(text: string): string {
  return escapeHtml(
    text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd'),
  );
}
