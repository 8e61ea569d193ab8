import t from '../support/tap.js';
import { soak } from './soak.js';
import { verdictOf } from './verdict.js';

t.test('under every fault at random the law holds, and no client notices', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const result = await soak({ seconds: 6, seed, log: () => {} });
  t.comment(
    `seed ${seed}: ${result.answered} answers, ${result.changes} changes, ${JSON.stringify(result.kills)}`,
  );
  t.same(result.clientErrors, []);
  t.same(verdictOf(result), [], `npm run soak -- --seed ${seed} does the same for longer`);
});
