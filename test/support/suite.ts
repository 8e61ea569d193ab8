/**
 * The end-to-end suite is every file of test/end-to-end. Each runs over the engine that `auto` takes, and once more over the node
 * engine (over-node-1.test.ts and its like), but for these. Where the two engines differ for a client stands in engines.ts.
 */
export const runsOnce: Readonly<Record<string, string>> = {
  demo: 'chooses its engine itself',
  'node-bytes': 'asks for the node engine',
  'node-clients': 'asks for the node engine',
  'node-engine': 'asks for the node engine',
  'node-trailers': 'asks for the node engine',
  'node-tunnel': 'asks for the node engine',
  'real-bodies': 'asks for both engines',
  'real-browser': 'asks for both engines',
  'real-curl': 'asks for both engines',
  'real-git': 'asks for both engines',
  'without-uws': 'takes uWS away',
};
