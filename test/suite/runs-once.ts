/**
 * The end-to-end suite is every file of test/end-to-end. Each runs over the engine that `auto` takes, and
 * once more over the uws engine, but for these: they choose their engine, or what they are about lies behind
 * the engines, in code that does not know which of them serves. Where the two differ for a client stands in
 * test/support/engines.ts.
 */
export const runsOnce: Readonly<Record<string, string>> = {
  comparing: 'pairs are made and compared behind the engines',
  'cut-off': 'NATS lies behind the engines',
  demo: 'chooses its engine itself',
  'demo-rollout': 'the demo chooses its engine itself',
  documents: 'documents become a plan, which knows no engine',
  drops: 'copies are dropped behind the engines',
  ejection: 'the choice of an endpoint lies behind the engines',
  guard: 'what holds mirrors back lies behind the engines',
  health: 'checks lie behind the engines',
  http2: 'asks for the node engine, which alone has HTTP/2',
  'live-page': 'the admin server has no engine',
  'live-page-pictures': 'the admin server has no engine',
  metrics: 'the admin server has no engine',
  'mirror-policy': 'mirrors are chosen and rewritten behind the engines',
  names: 'names are looked up behind the engines',
  'node-bytes': 'asks for the node engine',
  'node-clients': 'asks for the node engine',
  'node-engine': 'asks for the node engine',
  'node-trailers': 'asks for the node engine',
  'node-tunnel': 'asks for the node engine',
  'old-node': 'commands have no engine',
  package: 'the demo chooses its engine itself',
  pipes: 'commands have no engine',
  pipelining: 'copies are sent behind the engines',
  'real-bodies': 'asks for both engines',
  'real-browser': 'asks for both engines',
  'real-curl': 'asks for both engines',
  'real-git': 'asks for both engines',
  'socket-activation': 'the node engine alone takes sockets that are open',
  'http2-shadow-faults': 'copies are sent behind the engines',
  'shadow-faults': 'copies are sent behind the engines',
  verdict: 'the admin server and its reports have no engine',
  'without-uws': 'takes uWS away',
};
