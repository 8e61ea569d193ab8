/** The differences that comparing found, grouped, with samples. */

import { badge } from './badge.js';
import { byId, el, Keyed, setText } from './dom.js';
import { count } from './format.js';

const groupsShown = 100;

export class Differences {
  #note = byId('differences-note');
  #list = el('div', { className: 'groups' });
  #empty = el('p', { className: 'empty' });
  #groups = new Keyed(this.#list);

  constructor(place) {
    place.append(this.#empty, this.#list);
  }

  /** `answer` is that of api/diffs, and `view` says which of its groups are shown. */
  update(answer, view) {
    const all = Array.isArray(answer?.groups) ? answer.groups : [];
    const groups = view.route === null ? all : all.filter(({ route }) => route === view.route);
    if (groups.length === 0) {
      this.#nothing(nothingText(view));
      return;
    }
    this.#empty.hidden = true;
    const sorted = groups.toSorted(
      (a, b) =>
        weightOf(a) - weightOf(b) || text(a.endpoint).localeCompare(text(b.endpoint)) || b.count - a.count,
    );
    setText(
      this.#note,
      sorted.length > groupsShown ? `the first ${groupsShown} of ${count(sorted.length)} groups` : '',
    );
    this.#groups.update(sorted.slice(0, groupsShown), keyOf, () => new Group());
  }

  #nothing(text) {
    this.#groups.update([], keyOf, () => new Group());
    setText(this.#note, '');
    setText(this.#empty, text);
    this.#empty.hidden = false;
  }
}

/** That nothing was found says something only where responses are taken apart. */
function nothingText({ mirrors }) {
  const comparing = mirrors.filter(({ compares }) => compares);
  if (comparing.length === 0) return 'No field-by-field comparison: add `compare` to a mirror.';
  const compared = comparing.reduce((sum, { summary }) => sum + (summary?.compared ?? 0), 0);
  return compared === 0
    ? 'No pair of responses was compared yet.'
    : `No differences in ${count(compared)} compared pairs of responses.`;
}

const weights = { different: 0, undecided: 1, noise: 2 };

function weightOf(group) {
  return weights[group.class] ?? (group.noise === true ? weights.noise : weights.different);
}

function keyOf({ route, version, endpoint, kind, path, change }) {
  return [route, version, endpoint, kind, path, change].join('\n');
}

class Group {
  #summary = el('summary');
  #samples = el('div', { className: 'samples' });
  #shown = '';
  element = el('details', { className: 'group' }, this.#summary, this.#samples);

  update(group) {
    const shown = JSON.stringify(group);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const noise = group.noise === true;
    const judged = text(group.class ?? (noise ? 'noise' : 'different'));
    this.element.classList.toggle('noise', noise);
    this.#summary.replaceChildren(
      el('span', { className: 'count', textContent: count(Number(group.count) || 0), title: often(group) }),
      el('span', { className: 'kind', textContent: `${text(group.kind)} ${text(group.change ?? '')}` }),
      el('bdi', { className: 'path', textContent: text(group.path ?? '') }),
      el(
        'span',
        { className: 'where' },
        ...(judged === 'different' ? [] : [el('span', { className: 'chip', textContent: judged })]),
        badge(text(group.version), 'shadow'),
        el('span', { className: 'muted', textContent: text(group.endpoint ?? group.route) }),
      ),
    );
    const samples = Array.isArray(group.samples) ? group.samples : [];
    this.#samples.replaceChildren(
      el('p', { className: 'muted', textContent: often(group) }),
      ...samples.map((one) => sample(one)),
      ...(noise ? [] : [acceptance(group)]),
    );
  }
}

/**
 * `acceptance` offers the rule for a difference that is meant. The page copies it and does not apply it:
 * the file of the configuration belongs to whoever runs umbra, and a rule that is in no file would be
 * lost at the next reload.
 */
function acceptance(group) {
  const place = group.kind === 'json' ? text(group.path) : `${text(group.kind)}:${text(group.path)}`;
  const rule =
    `- { path: ${JSON.stringify(place)}, endpoint: ${JSON.stringify(text(group.endpoint))}, ` +
    `ignore: ${text(group.change)} }`;
  const button = el('button', { type: 'button', textContent: 'Copy the rule that accepts it' });
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(rule);
      button.textContent = 'Copied: add it to compare.rules of the mirror';
    } catch {
      button.textContent = 'Select the rule above and copy it';
    }
  });
  const command = `umbra diffs --accept ${text(group.id)}`;
  return el(
    'div',
    { className: 'accept' },
    el('p', { className: 'muted', textContent: `Meant? Accept it with \`${command}\`, or with this rule:` }),
    el('pre', { className: 'rule', tabIndex: 0, textContent: rule }),
    button,
  );
}

/** How often, and how often by chance: `12 of 97 pairs; between two answers of the primary 11 of 95`. */
function often({ count: n, compared, baseline, constant, isWrite, class: judged }) {
  const pairs = Number.isFinite(compared)
    ? `${count(n)} of ${count(compared)} pairs`
    : `${count(Number(n) || 0)} pairs`;
  const parts = [pairs];
  if (constant === true) parts.push("the shadow repeats one value where the primary's changes");
  if (isWrite === true) parts.push('a write: it is not sent to the primary again, so noise is not measured');
  if (baseline !== null && baseline !== undefined) {
    parts.push(`between two answers of the primary ${count(baseline.count)} of ${count(baseline.compared)}`);
  }
  if (judged === 'undecided') parts.push('too little data: it may be noise');
  return parts.join('; ');
}

function sample(one) {
  const about = [one.request, one.at, one.id]
    .filter((part) => typeof part === 'string' && part !== '')
    .join(' · ');
  return el(
    'div',
    { className: 'sample' },
    side('primary', one.primary),
    side('shadow', one.shadow),
    ...(about === '' ? [] : [el('p', { className: 'muted id', textContent: about })]),
  );
}

function side(name, value) {
  return el(
    'div',
    {},
    el('h4', { textContent: name }),
    // As JSON, so that `1` and `"1"` look different.
    el('pre', {
      tabIndex: 0,
      textContent: value === undefined ? '(absent)' : JSON.stringify(value, null, 2),
    }),
  );
}

function text(v) {
  return typeof v === 'string' ? v : (JSON.stringify(v) ?? '');
}
