/** What the commands of the command line do. Each is loaded when it is asked for, so that `umbra mirror` starts as fast as it can. */
import type { Commands } from '../../config/command-line.js';

const output = {
  out: (line: string) => process.stdout.write(`${line}\n`),
  err: (line: string) => process.stderr.write(`${line}\n`),
};

export const commands: Commands = {
  run: async (options) => (await import('./run.js')).runCommand(options),
  demo: async (options) => (await import('./demo.js')).demoCommand(options),
  mirror: async (options) => {
    return (await import('./mirror.js')).mirrorCommand(options, output);
  },
  load: async (options) => (await import('./load.js')).loadCommand(options),
  record: async (options) => (await import('./record.js')).recordCommand(options),
  replay: async (options) => (await import('./replay.js')).replayCommand(options, output),
  shadow: async (options) => (await import('./shadow.js')).shadowCommand(options, output),
  top: async (options) => (await import('./top.js')).topCommand(options),
  report: async (options) => (await import('./report.js')).reportCommand(options, output),
  readPlanText: async (address) => (await import('./plan-address.js')).planText(address),
  documents: async (options) => (await import('./documents.js')).documentsCommand(options, output),
  verdict: async (options) => (await import('./verdict.js')).verdictCommand(options, output),
};
