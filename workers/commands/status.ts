/** `umbra status`: what runs, and what differs from the configuration; or a fleet and its rollouts. */
import type { CommandIo } from '../../config/commands/index.js';
import type { StatusOptions } from '../../config/commands/status.js';
import { exitOk } from '../../config/exit-codes.js';
import { formatDuration } from '../../config/units.js';
import { rollCallLines, stateOf } from '../../core/fleet/roll-call.js';
import { rolloutNoteLines } from '../../core/report/rollout-note.js';
import type { LiveEntry, Status } from '../admin/status-body.js';
import { askAdmin, exitCodeFor } from './admin-client.js';
import { openFigures } from './figures.js';

/** Resolves with the exit code: 0, or 4 when umbra can't be asked, else 1. Never rejects. */
export async function statusCommand(options: StatusOptions, io: CommandIo): Promise<number> {
  try {
    if (options.fleet !== undefined) {
      await printFleet(options, io);
      return exitOk;
    }
    const answer = await askAdmin(options, 'api/status');
    if (!Array.isArray(answer.live)) throw new Error('refused (200): this is not an umbra admin API');
    if (options.output === 'json') io.out(JSON.stringify(answer, null, 2));
    else for (const line of linesOf(answer as unknown as Status)) io.out(line);
    return exitOk;
  } catch (error) {
    io.err(`umbra status: ${(error as Error).message}`);
    return exitCodeFor(error);
  }
}

async function printFleet(options: StatusOptions, io: CommandIo): Promise<void> {
  const source = await openFigures(options);
  try {
    const { members, rollouts, notes } = await source.look(false);
    const all = members ?? [];
    if (options.output === 'json') {
      const instances = all.map((member) => ({
        name: member.name,
        id: member.id,
        state: stateOf(member),
        uptimeS: member.reading.uptimeS,
        generation: member.reading.generation,
        revision: member.revision,
        rollouts: member.rollouts,
      }));
      io.out(JSON.stringify({ source: source.name, instances, rollouts, notes }, null, 2));
      return;
    }
    io.out(`fleet ${source.name}`);
    for (const line of rollCallLines(all, new Map())) io.out(line);
    for (const line of [...rolloutNoteLines(rollouts), ...notes]) io.out(line);
  } finally {
    await source.close();
  }
}

function linesOf(status: Status): string[] {
  const { version, node, pid, ready, uptimeS, generation, engine, threads, state, fleet, live, rollouts } =
    status;
  const uptime = formatDuration(Math.round(uptimeS) * 1000);
  const restarts = threads.restarts === 0 ? '' : `, ${threads.restarts} restarted`;
  const kept =
    state.keptIn === null
      ? 'lost when umbra ends (`state` is not set)'
      : `kept in ${state.keptIn}${state.problem === null ? '' : `; ${state.problem}`}`;
  const unshared = state.unshared === 0 ? [] : [`  ${state.unshared} not shared with other instances yet`];
  return [
    `umbra ${version}, process ${pid}, ${ready ? 'serving' : 'not serving'} for ${uptime}`,
    `generation ${generation}, engine ${engine}, Node ${node.replace('v', '')}`,
    `threads: ${threads.proxy} proxy, ${threads.shadow} shadow${restarts}`,
    ...(fleet === null ? [] : [`fleet: instance ${fleet.name}, led by ${fleet.leader ?? 'nobody known'}`]),
    `live changes: ${live.length === 0 ? 'none' : live.length}, ${kept}`,
    ...unshared,
    ...live.map((entry) => `  ${lineOf(entry)} (${entry.by}, ${entry.at})`),
    ...rolloutNoteLines(rollouts ?? []),
  ];
}

function lineOf(entry: LiveEntry): string {
  switch (entry.what) {
    case 'allMirrors':
      return `all mirrors ${onOff(entry.enabled)}`;
    case 'heldBack':
      return `mirror ${entry.route} to ${entry.to}: ${entry.heldBackPercent} % held back by the guard`;
    case 'weights':
      return `weights of ${entry.route}: ${weightsOf(entry.weights)}, in the configuration ${weightsOf(entry.file)}`;
    case 'mirror':
      return mirrorLine(entry);
  }
}

function mirrorLine({ route, to, enabled, percent, file }: Extract<LiveEntry, { what: 'mirror' }>): string {
  const subject = `mirror ${route} to ${to}:`;
  const now = [
    ...(enabled === undefined ? [] : [onOff(enabled)]),
    ...(percent === undefined ? [] : [`${percent} %`]),
  ];
  if (file === null) return `${subject} ${[...now, 'not in the configuration'].join(', ')}`;
  const before = [
    ...(enabled === undefined ? [] : [onOff(file.enabled)]),
    ...(percent === undefined ? [] : [`${file.percent} %`]),
  ];
  return `${subject} ${now.join(', ')}, in the configuration ${before.join(', ')}`;
}

function onOff(enabled: boolean): string {
  return enabled ? 'on' : 'off';
}

function weightsOf(weights: Readonly<Record<string, number>>): string {
  return Object.entries(weights)
    .map(([version, weight]) => `${version}=${weight}`)
    .join(' ');
}
