import { setImmediate as nextTurn } from 'node:timers/promises';
import { limits } from '../../../../core/limits.js';
import { MessageTurns } from '../../../../workers/downstream/uws/message-turns.js';
import t from '../../../support/tap.js';

const large = limits.webSocketTurnBytes;
/** Enough turns for all of a test. */
const turnsMax = 20;

/** What each turn passed on, of messages of `sizes` that become whole at the same time. */
async function passedOn(turns: MessageTurns, sizes: readonly number[]): Promise<number[][]> {
  const found: number[][] = [[]];
  const pass = (bytes: number): void => {
    turns.passed(bytes);
    found.at(-1)!.push(bytes);
  };
  for (const bytes of sizes) {
    if (turns.isOver) turns.later(() => pass(bytes));
    else pass(bytes);
  }
  for (let i = 0; i < turnsMax; i++) {
    found.push([]);
    await nextTurn();
  }
  return found.filter((turn) => turn.length > 0);
}

t.test('large messages that become whole together are passed on one a turn, in their order', async (t) => {
  const sizes = [large, large + 1, large + 2, large + 3];
  t.strictSame(
    await passedOn(new MessageTurns(), sizes),
    sizes.map((bytes) => [bytes]),
  );
});

t.test('small messages share a turn, and one that comes later overtakes none', async (t) => {
  const turns = new MessageTurns();
  t.strictSame(await passedOn(turns, [1, 2, 3]), [[1, 2, 3]]);
  t.strictSame(await passedOn(turns, [large, 1, 2, large, 3]), [[large], [1, 2, large], [3]]);
  t.notOk(turns.isOver, 'a turn is over when it has passed');
});
