import { CorkHolder } from '../../../../workers/downstream/uws/cork-holder.js';
import t from '../../../support/tap.js';
import { skipWord, uws } from './rig.js';

const options = { skip: skipWord };

t.test(
  'all engines of a thread have one WebSocket to hold the cork, until the last has let it go',
  options,
  async (t) => {
    const first = CorkHolder.ofThread(uws);
    t.equal(CorkHolder.ofThread(uws), first);
    first.letGo();
    t.equal(CorkHolder.ofThread(uws), first, 'one engine has it still');
    first.letGo();
    first.letGo();
    const next = CorkHolder.ofThread(uws);
    t.not(next, first);
    let ran = false;
    next.run(() => {
      ran = true;
    });
    t.ok(ran, 'with or without the cork, at once');
    next.letGo();
  },
);
