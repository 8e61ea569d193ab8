/**
 * What the commands of the command line do. Each is loaded when it is asked for: `umbra mirror` starts fast,
 * and a server carries none of the others.
 */
import type { CommandActions } from '../../config/commands/index.js';
import { completionCommand } from './completion.js';

export const actions: CommandActions = {
  run: async (options) => (await import('./run.js')).runCommand(options),
  check: async (options, io) => (await import('./check.js')).checkCommand(options, io),
  reload: async (options, io) => (await import('./reload.js')).reloadCommand(options, io),
  demo: async (options) => (await import('./demo.js')).demoCommand(options),
  mirror: async (options, io) => (await import('./mirror.js')).mirrorCommand(options, io),
  weights: async (options, io) => (await import('./weights.js')).weightsCommand(options, io),
  rollout: async (options, io) => (await import('./rollout.js')).rolloutCommand(options, io),
  status: async (options, io) => (await import('./status.js')).statusCommand(options, io),
  record: async (options, io) => (await import('./record.js')).recordCommand(options, io),
  replay: async (options, io) => (await import('./replay.js')).replayCommand(options, io),
  shadow: async (options, io) => (await import('./shadow.js')).shadowCommand(options, io),
  load: async (options) => (await import('./load.js')).loadCommand(options),
  top: async (options) => (await import('./top.js')).topCommand(options),
  report: async (options, io) => (await import('./report.js')).reportCommand(options, io),
  verdict: async (options, io) => (await import('./verdict.js')).verdictCommand(options, io),
  diffs: async (options, io) => (await import('./diffs.js')).diffsCommand(options, io),
  apply: async (options, io) => (await import('./resources.js')).resourcesCommand('apply', options, io),
  // All that it needs is here already: loaded late, it would move `commander` into a file of its own.
  completion: completionCommand,
  version: async (options, io) => (await import('./version.js')).versionCommand(options, io),
  delete: async (options, io) => (await import('./resources.js')).resourcesCommand('delete', options, io),
};
