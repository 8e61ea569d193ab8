import { once } from 'node:events';
import t from 'tap';
import { Origin } from '../support/origin.js';
import { Output, reviews, spawnUmbra, UmbraProcess } from '../support/umbra.js';

t.test('a reader that has had enough, as `head` has, is no failure', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, null));
  t.teardown(async () => {
    await umbra.stop();
    await v1.close();
  });
  for (const words of [
    ['report', '--admin', umbra.adminUrl, '-o', '-'],
    ['top', '--once', '--admin', umbra.adminUrl],
  ]) {
    const child = spawnUmbra(...words);
    const output = new Output(child);
    child.stdout!.destroy();
    t.strictSame([await once(child, 'close'), output.err], [[0, null], ''], words[0]);
  }
});
