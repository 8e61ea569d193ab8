import type { Address, EngineChoice, ListenerPlan } from '../../../core/plan.js';
import { settleEngines } from '../../../workers/downstream/acceptors.js';
import { canTakeOver } from '../../../workers/downstream/node/acceptor.js';
import { skipUws } from '../../support/engines.js';
import { listenerPlan, tlsOf } from '../../support/listener.js';
import t from '../../support/tap.js';

const port: Address = { kind: 'tcp', host: '127.0.0.1', port: 8080 };
const unix: Address = { kind: 'unix', path: '/run/umbra.sock' };

const asking = (engine: EngineChoice, address: Address): ListenerPlan => listenerPlan({ engine, address });

const enginesOf = (asked: readonly ListenerPlan[], mayTakeOver = false): string[] =>
  settleEngines(asked, [], mayTakeOver).listeners.map(({ engine }) => engine);

t.test('auto is the node engine, and an engine that is named stays', { skip: skipUws }, async (t) => {
  t.strictSame(enginesOf([asking('auto', port), asking('node', port), asking('uws', port)]), [
    'node',
    'node',
    'uws',
  ]);
});

t.test('auto is uws where only uws can take the socket over', { skip: skipUws }, async (t) => {
  t.strictSame(enginesOf([asking('auto', unix), asking('node', unix)], true), ['uws', 'node']);
  t.strictSame(enginesOf([asking('auto', unix)]), ['node'], 'not without --takeover');
  t.strictSame(enginesOf([asking('auto', port)], true), [canTakeOver(port) ? 'node' : 'uws']);
  const offering = listenerPlan({ engine: 'auto', address: unix, protocols: ['http1', 'h2'] });
  t.strictSame(enginesOf([offering], true), ['node'], 'not where HTTP/2 was asked for');
  const tls = tlsOf('c', 'k', '', '');
  const [settled] = settleEngines([{ ...offering, tls }], [], true).listeners;
  t.match(settled, { engine: 'uws', protocols: ['http1'] }, 'over TLS it is not offered then');
});
