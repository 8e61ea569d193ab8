/** `umbra report`. */
import { defineCommand, flag, type OptionsOf, repeatedFlag } from '../command-line/definition.js';
import { figuresFlags, figuresPlace } from '../command-line/flags.js';
import { text } from '../command-line/values.js';

const outputDefault = 'report.html';

export const report = defineCommand({
  name: 'report',
  summary: 'compare the versions on one page, from a running umbra or from histogram logs',
  flags: {
    ...figuresFlags,
    hlog: repeatedFlag(
      '--hlog <files...>',
      'read histogram logs of any number of instances and days, instead of a running umbra',
      text,
    ),
    output: flag(
      '-o, --output <json|file>',
      'file of the page; - prints text, and json prints JSON',
      text,
      outputDefault,
      outputDefault,
    ),
  },
  complete: ({ hlog, output, ...place }, misuse) => ({ ...figuresPlace(place, misuse), hlog, output }),
});

export type ReportOptions = OptionsOf<typeof report>;
