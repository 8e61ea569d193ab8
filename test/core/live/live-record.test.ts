import fc from 'fast-check';
import { decodeLive, encodeLive } from '../../../core/live/live-record.js';
import { type LiveState, noLiveState } from '../../../core/live/live-state.js';
import t from '../../support/tap.js';

const made = { atMs: Date.UTC(2026, 10, 30, 12), by: 'rollout' } as const;

t.test('a state is written for people, and read as it was', async (t) => {
  const state: LiveState = {
    allMirrors: { enabled: false, ...made },
    mirrors: [
      {
        route: 'a',
        to: 'file:./rec',
        enabled: null,
        shareMillionths: 1,
        methods: null,
        file: { enabled: true, shareMillionths: 50_000 },
        ...made,
      },
      { route: 'a', to: '2', enabled: true, shareMillionths: null, methods: 'safe', file: null, ...made },
    ],
    weights: [
      {
        route: 'a',
        weights: [
          ['2', 99.9999],
          ['1', 0.0001],
        ],
        fallback: '1',
        file: [['1', 1]],
        ...made,
      },
    ],
    rollouts: [['a', { steps: [1, null, 'x'] }]],
  };
  const text = encodeLive(state);
  t.match(text, /"percent": 0\.0001/);
  t.match(text, /"at": "2026-11-30T12:00:00\.000Z"/);
  t.strictSame(decodeLive(text), { ok: true, state });
  t.strictSame(decodeLive(encodeLive(noLiveState)), { ok: true, state: noLiveState });
});

t.test('what is no record of live changes is refused with its reason, and never throws', async (t) => {
  const why = (text: string) => {
    const decoded = decodeLive(text);
    return decoded.ok ? null : decoded.why;
  };
  t.equal(why(''), 'is not JSON');
  t.equal(why('{"version":1,'), 'is not JSON');
  t.equal(why('[]'), 'has no version number');
  t.equal(why('{"version":2}'), 'has version 2, and this umbra reads up to 1');
  t.equal(why('{"version":1,"allMirrors":null}'), 'is damaged: mirrors');
  const empty = JSON.parse(encodeLive(noLiveState)) as Record<string, unknown>;
  t.match(why(JSON.stringify({ ...empty, mirrors: [{ route: 'a' }] })), /is damaged: mirrors/);
  t.match(
    why(JSON.stringify({ ...empty, allMirrors: { enabled: false, at: 'x', by: 'page' } })),
    /damaged: at/,
  );
  const weights = [{ route: 'a', weights: [['v1', 0]], file: [], at: '2026-01-01T00:00:00Z', by: 'page' }];
  t.match(why(JSON.stringify({ ...empty, weights })), /damaged: weights/);
  fc.assert(
    fc.property(fc.json(), (text) => {
      decodeLive(text);
      decodeLive(JSON.stringify({ ...empty, mirrors: [JSON.parse(text)], weights: JSON.parse(text) }));
    }),
  );
});
