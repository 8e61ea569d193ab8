/** `log`: umbra's own log on standard error. */
import { z } from 'zod';
import { logFormats, logLevels } from '../../core/plan.js';
import { mapping } from './values.js';

export const log = mapping({
  level: z
    .enum(logLevels, { error: `expected ${logLevels.join(', ')}` })
    .prefault('info')
    .meta({ description: 'The least important lines that are written.' }),
  format: z
    .enum(logFormats, { error: `expected ${logFormats.join(', ')}` })
    .prefault('auto')
    .meta({
      description:
        'Form of a line: `text`, `json`, or `journal` (priorities for systemd). `auto` is `journal` where standard error is the journal (`JOURNAL_STREAM`), `text` on a terminal, and else `json`.',
    }),
});
