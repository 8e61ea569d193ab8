/**
 * What the fields of the edge cost a request: each policy against a pass over nothing, on a browser's head
 * and on one that came through a proxy. The head is a flat string, as the engines make it, and the result is
 * written into a block, as for the upstream.
 *
 *   node dist/bench/core/edge.js
 */

import { EdgeFields } from '../../core/http/edge-fields.js';
import { RequestHead } from '../../core/http/message.js';
import { RequestIds } from '../../core/http/request-id.js';
import { writeRequestHead } from '../../core/http/request-writer.js';
import type { EdgePlan } from '../../core/plan.js';
import { edgeOff } from '../../test/core/route/support.js';

const ROUNDS = 9;
const CALLS = 100_000;

const browser = [
  'accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-encoding: gzip, deflate, br',
  'accept-language: en-GB,en;q=0.9',
  'cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
  'referer: https://shop.example.com/reviews',
  'user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
];
const proxied = [
  ...browser,
  'x-forwarded-for: 203.0.113.7',
  'x-forwarded-proto: https',
  'x-request-id: 5f0c1a2b3c4d5e6f',
];

const append = { mode: 'append', as: 'x-forwarded' } as const;
const policies: Record<string, EdgePlan | null> = {
  'off (no-op)': null,
  'request id': { ...edgeOff, requestId: 'keep' },
  'default: append, request id': { ...edgeOff, forwarded: append, requestId: 'keep' },
  'set, request id': { ...edgeOff, forwarded: { ...append, mode: 'set' }, requestId: 'keep' },
  'default, via, trusted': {
    ...edgeOff,
    forwarded: append,
    via: 'umbra',
    requestId: 'keep',
    trusted: ['10.0.0.0/8'],
  },
};

const block = Buffer.alloc(64 * 1024);
const head = new RequestHead();
head.host = 'shop.example.com';
const peer = { clientAddress: () => '10.1.2.3' };
let seed = 1;
const ids = new RequestIds(() => (seed = (seed * 48271) % 2147483647));

function runs(plan: EdgePlan | null, fields: string): () => void {
  const edge = plan === null ? null : new EdgeFields(plan, ids);
  return () => {
    head.fields = fields;
    edge?.apply(head, peer);
    block.write(writeRequestHead(head), 0, 'latin1');
  };
}

/** CPU time, so that a busy machine does not count. */
function nsPerCall(run: () => void): number {
  const start = process.cpuUsage().user;
  for (let i = 0; i < CALLS; i++) run();
  return ((process.cpuUsage().user - start) * 1000) / CALLS;
}

for (const [name, lines] of Object.entries({ browser, proxied })) {
  const fields = Buffer.from(`${lines.join('\r\n')}\r\n`).toString('latin1');
  console.log(`\n${name}: ${lines.length} fields, ${fields.length} bytes`);
  const sides = Object.entries(policies).map(([policy, plan]) => ({
    policy,
    run: runs(plan, fields),
    rounds: [] as number[],
  }));
  // In turn, so that what else the machine does costs all sides alike.
  for (let round = 0; round < ROUNDS; round++)
    for (const side of sides) side.rounds.push(nsPerCall(side.run));
  const medians = sides.map(({ rounds }) => rounds.sort((a, b) => a - b)[ROUNDS >> 1]!);
  sides.forEach(({ policy }, i) => {
    const ratio = (medians[i]! / medians[0]!).toFixed(2);
    console.log(`  ${policy.padEnd(30)} ${medians[i]!.toFixed(0).padStart(6)} ns  ${ratio.padStart(6)} x`);
  });
}
