/** Warns of mirrors whose memory bounds are smaller than the bodies that they accept. */
import { limits } from '../core/limits.js';
import { type ConfigProblem, warningAt } from './problem.js';
import type { Config, MirrorConfig } from './schema.js';
import { isSinkTarget } from './sink-target.js';
import { markAt, type Path, type TreeNode } from './tree.js';
import { formatSize } from './units.js';

/** `warnOfMirrorSizes` warns at `body.max`. A mirror with the default is within the other defaults. */
export function warnOfMirrorSizes({ routes, threads }: Config, root: TreeNode): ConfigProblem[] {
  const shadowThreads = threads.shadow === 'auto' ? 1 : threads.shadow;
  return routes.flatMap((route, routeIndex) =>
    route.mirrors.flatMap((mirror, index) => {
      const why = whyTooSmall(mirror, shadowThreads, threads.ring);
      if (why === null) return [];
      const path: Path = ['routes', routeIndex, 'mirrors', index, 'body', 'max'];
      return [
        warningAt(markAt(root, path), `\`body.max\` of ${formatSize(mirror.body.max)} is above ${why}`),
      ];
    }),
  );
}

function whyTooSmall({ to, body, memory }: MirrorConfig, shadowThreads: number, ring: number): string | null {
  if (isSinkTarget(to)) {
    const why = `\`memory\`, ${formatSize(memory)}: a copy is assembled there, so larger ones are always dropped (\`memory\`)`;
    return body.max > memory ? why : null;
  }
  const part = Math.floor(memory / shadowThreads);
  if (body.max > part) {
    const each = shadowThreads === 1 ? '' : ` for each of ${shadowThreads} shadow threads`;
    return `\`memory\`, ${formatSize(part)}${each}: such a copy fails (\`memory\`) unless the shadow reads as fast as the client sends`;
  }
  const held = ring + limits.waitingBytes;
  if (body.max <= held) return null;
  return `the ring and what a proxy thread holds beside it, ${formatSize(held)}: such a copy fails (\`ring-full\`) unless the shadow thread keeps up`;
}
