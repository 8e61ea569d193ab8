/** Each row of docs/conformance.md, sent through a real umbra as raw bytes, on both engines. */

import { skipUws } from '../support/engines.js';
import t from '../support/tap.js';
import { Bench } from './bench.js';
import type { Expected } from './case.js';
import { sections } from './sections.js';

for (const engine of ['uws', 'node'] as const) {
  const skip = engine === 'uws' && skipUws;
  t.test(`${engine}: every row of docs/conformance.md is so`, { skip }, async (t) => {
    const bench = await Bench.start(engine);
    t.teardown(() => bench.stop());
    for (const one of sections.flatMap(({ cases }) => cases)) {
      const expected = one[engine];
      const { verdict, arrived, came } = await bench.observe(one, expected.verdict === 'waits');
      t.equal(verdict, expected.verdict, one.what);
      const arrives = whatArrives(expected);
      if (arrives === null) t.equal(arrived, null, `${one.what}: the origin gets nothing`);
      else if (arrives !== undefined)
        t.match(arrived ?? '', arrives, `${one.what}: so does the origin get it`);
      if (expected.comes !== undefined) t.match(came, expected.comes, `${one.what}: so does the client`);
    }
  });
}

/** What umbra refuses must not have reached the origin, unless the case says so. */
function whatArrives({ verdict, arrives }: Expected): RegExp | null | undefined {
  if (arrives !== undefined) return arrives;
  return verdict === 'waits' || /^answered (4|501|505)/.test(verdict) ? null : undefined;
}
