import { loadConfig } from '../../config/load.js';
import t from '../support/tap.js';

t.test('checks over gRPC need HTTP/2, and take the place of a path', async (t) => {
  const problemsOf = (version: string): string[] => {
    const loaded = loadConfig(
      `versions: { v1: { endpoints: "http://127.0.0.1:1", ${version} } }\nroutes: [ { primary: v1 } ]\n`,
      'umbra.yaml',
    );
    return loaded.ok ? [] : loaded.problems.map(({ message }) => message);
  };
  t.strictSame(problemsOf('protocol: http2, health: { grpc: "" }'), []);
  t.strictSame(problemsOf('protocol: auto, health: { grpc: shop.Shop }'), []);
  t.match(problemsOf('health: { grpc: shop.Shop }'), [/versions\.v1: health\.grpc needs `protocol: http2`/]);
  t.match(problemsOf('health: { interval: 1s }'), [/health: expected either path or grpc/]);
  t.match(problemsOf('protocol: http2, health: { grpc: a, path: /b }'), [
    /health: expected either path or grpc/,
  ]);
});
