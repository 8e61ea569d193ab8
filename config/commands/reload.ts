/** `umbra reload`. */
import { defineCommand, flag, type OptionsOf, toggle } from '../command-line/definition.js';
import { positiveInteger, text } from '../command-line/values.js';

export const reload = defineCommand({
  name: 'reload',
  summary: 'make a running umbra load its configuration again, or start an upgraded program in its place',
  flags: {
    pid: flag('--pid <n>', 'process id of the running umbra', positiveInteger),
    pidFile: flag('--pid-file <file>', 'file that contains the process id', text),
    replace: toggle('--replace', 'start this program in its place, even if its files were not replaced'),
  },
  exclusive: ['pid', 'pidFile'],
  complete({ pid, pidFile, replace }, misuse) {
    if (pid !== null) return { from: { pid }, replace };
    if (pidFile === null) return misuse('expected one of --pid <n> and --pid-file <file>');
    return { from: { file: pidFile }, replace };
  },
});

export type ReloadOptions = OptionsOf<typeof reload>;
