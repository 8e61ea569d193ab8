/** What a listener and a route let in: refused where it makes no sense, and a warning where it is risky. */

import { compilePlan } from '../../config/compile.js';
import { MirrorSlots } from '../../config/slots.js';
import t from '../support/tap.js';
import { loaded, minimal, told } from './told.js';

const listen = (keys: string): string => minimal(`listen: [ { address: "127.0.0.1:1", ${keys} } ]\n`);

t.test('a listener behind another proxy on the uws engine is a warning', async (t) => {
  t.match(told(listen('engine: uws, trusted: [ 10.0.0.0/8 ]')), [
    /^1:\d+: warning: .*safer on `engine: node`/,
  ]);
  t.same(told(listen('engine: node, trusted: [ 10.0.0.0/8 ]')), []);
  t.same(told(listen('engine: uws')), []);
});

t.test('a plain port speaks HTTP/2 where that is asked for, and the uws engine never', async (t) => {
  const protocolsOf = (keys: string) =>
    compilePlan(loaded(listen(keys)), 1, new MirrorSlots(), 1).listeners[0]!.protocols;
  const tls = 'tls: { cert: c.pem, key: k.pem }';
  t.same(protocolsOf('via: a'), ['http1']);
  t.same(protocolsOf(tls), ['http1', 'h2']);
  t.same(protocolsOf(`engine: uws, ${tls}`), ['http1']);
  t.same(protocolsOf(`protocols: http1, ${tls}`), ['http1']);
  t.same(protocolsOf('protocols: [ h2, http1, h2 ]'), ['h2', 'http1']);
  t.match(told(listen('engine: uws, protocols: [ http1, h2 ]')), [
    /^1:\d+: .*protocols: the uws engine has no HTTP\/2; use `engine: node`, or leave h2 out/,
  ]);
  t.match(told(listen('engine: uws, protocols: h2')), [/the uws engine has no HTTP\/2/]);
  t.same(told(listen('engine: uws, protocols: http1')), []);
  t.match(told(listen('protocols: [ spdy ]')), [/protocols.*expected http1 or h2/]);
  t.match(told(listen('protocols: []')), [/protocols/]);
});

t.test('paths are normalized unless a listener says otherwise', async (t) => {
  const edgeOf = (keys: string) =>
    compilePlan(loaded(listen(keys)), 1, new MirrorSlots(), 1).listeners[0]!.edge;
  t.match(edgeOf('via: a'), { normalizesPath: true, mergesSlashes: true, underscores: 'drop' });
  t.match(edgeOf('normalize: off'), { normalizesPath: false, mergesSlashes: false });
  t.match(edgeOf('normalize: { mergeSlashes: false }'), { normalizesPath: true, mergesSlashes: false });
});

t.test('h2c is never passed, and other protocols are in lower case', async (t) => {
  const route = (upgrades: string): string =>
    `versions: { v1: "http://127.0.0.1:1" }\nroutes: [ { primary: v1, upgrades: ${upgrades} } ]\n`;
  t.match(told(route('[ h2c ]')), [/never forwarded/]);
  t.match(told(route('[ "a b" ]')), [/expected the name of a protocol/]);
  t.same(loaded(route('[ WebSocket, custom/1 ]')).routes[0]!.upgrades, ['websocket', 'custom/1']);
  t.same(loaded(route('[]')).routes[0]!.upgrades, []);
});

t.test('routes of documents leave slashes apart, unless the listener says otherwise', async (t) => {
  const text = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec: { hosts: [reviews], http: [{ route: [{ destination: { host: reviews } }] }] }
`;
  const mergesSlashes = (keys: string): boolean => {
    const umbra = `listen: [ { address: "127.0.0.1:1"${keys} } ]\nsubsets: { reviews: "http://127.0.0.1:2" }\n`;
    const documents = [{ kind: 'texts' as const, files: [{ file: 'reviews.yaml', text }] }];
    const config = loaded(umbra, { documents });
    return compilePlan(config, 1, new MirrorSlots(), 1).listeners[0]!.edge.mergesSlashes;
  };
  t.equal(mergesSlashes(''), false);
  t.equal(mergesSlashes(', normalize: { mergeSlashes: true }'), true);
});
