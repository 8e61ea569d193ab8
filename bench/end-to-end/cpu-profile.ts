/**
 * What a `.cpuprofile` says of one thread: the time of each part of the program. The format is that of Chrome
 * DevTools' `Profiler.Profile`. Pure.
 */

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The node that was running at each sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** By part, in microseconds. */
export type PartTimes = Map<string, number>;

/**
 * The time that the thread itself spent in each part. Parts are the rooms of umbra (`core/http`,
 * `workers/downstream/uws`), `node` for Node's own JavaScript, and V8's names for the rest: `(garbage
 * collector)`, `(idle)`, and `(program)`, which is native code that no JavaScript called: the event loop and
 * its system calls. A native function that JavaScript calls counts for its caller: a write to a socket is the
 * writer's.
 */
export function partTimes({ nodes, samples, timeDeltas }: CpuProfile): PartTimes {
  const parts = new Map(nodes.map((node) => [node.id, partOf(node)]));
  const times: PartTimes = new Map();
  for (const [index, id] of samples.entries()) {
    const part = parts.get(id) ?? '(program)';
    times.set(part, (times.get(part) ?? 0) + timeDeltas[index]);
  }
  return times;
}

/** Whether the thread began with `dist/workers/threads/NAME.js`. */
export function isThread(name: string, { nodes }: CpuProfile): boolean {
  return nodes.some(({ callFrame }) => callFrame.url.endsWith(`/dist/workers/threads/${name}.js`));
}

const roomPattern = /\/dist\/((?:core|workers|config)(?:\/[a-z-]+)*)\/[^/]+\.js$/;

function partOf({ callFrame: { functionName, url } }: ProfileNode): string {
  const room = roomPattern.exec(url);
  if (room !== null) return room[1];
  if (url.startsWith('node:')) return 'node';
  return url === '' && functionName.startsWith('(') ? functionName : 'native';
}
