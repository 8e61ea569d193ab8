import { readFileSync } from 'node:fs';
import { findCircle, readImports, root, unusedExports } from '../support/imports.js';
import t from '../support/tap.js';

/** A longer file says why it is long. */
const linesMax = 400;

/** Files at the top of core, which all rooms may import. */
const SHARED = '(shared)';

/**
 * The borders between the rooms of core: for each room, the rooms whose files it may import, and why. A new
 * import across a border needs a line here.
 */
const borders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [SHARED]: {
    http: 'the table of errors has a row for each way in which a request can be refused',
    compare: 'redaction finds values by the same JSONPath as comparisons',
  },
  http: {},
  http2: {
    http: 'streams carry the requests and responses that are heads of core/http',
    grpc: 'what a Content-Type means is judged once, when a field is read',
  },
  grpc: {
    http: 'statuses of gRPC stand in response heads',
  },
  protobuf: {},
  ring: {},
  regex: {},
  route: {
    http: 'routes match request heads',
    regex: 'routes match by regular expressions in linear time',
  },
  upstream: {
    grpc: 'retries and ejection read the status of gRPC answers',
    http: 'calls write request heads and read responses',
    http2: 'a connection of HTTP/2 drives a session',
  },
  compare: {
    http: 'comparisons read heads and bodies of responses',
    grpc: 'a body of gRPC consists of messages, and its method names their type',
    protobuf: 'messages are read by their types',
    ring: 'captured pairs go to the control thread through a ring',
    regex: 'rules of a path match values by regular expressions in linear time',
    route: 'these expressions are read as those of routes are',
  },
  record: {
    grpc: 'counters and access logs have the status of gRPC calls',
    http: 'lines of the access log are wire strings',
    ring: 'lines of the access log leave their thread through a ring',
    mirror: 'a line of the access log is a frame with the parts of a copy',
  },
  mirror: {
    grpc: 'copies of gRPC calls end in a status',
    http: 'copies are requests',
    route: 'a mirror samples as routes do, and changes paths as routes do',
    record: 'every copy ends in a counter',
    ring: 'copies cross threads in frames',
    compare: 'copies are measured and captured for comparisons',
    upstream: 'copies are sent by the same client as requests to primaries',
  },
  exchange: {
    grpc: 'an exchange may be a gRPC call',
    http: 'exchanges are requests and responses',
    regex: 'origins of pages are matched by regular expressions in linear time',
    route: 'an exchange begins with a route',
    upstream: 'an exchange asks a primary',
    mirror: 'an exchange offers copies',
    record: 'every exchange ends in a counter, and perhaps in the access log',
    compare: "an exchange digests its primary's response where a mirror compares",
  },
  sink: {
    http: 'sinks keep requests',
    grpc: 'a sink keeps the status of a gRPC call',
    mirror: 'sinks read the frames of mirrors within the same bounds',
    record: 'every copy ends in a counter',
    ring: 'copies cross threads in frames',
  },
  recording: {
    http: 'records hold HTTP messages',
    grpc: 'records of gRPC calls have a status, and bodies of messages',
    sink: 'a recording is a sink',
    compare: 'redaction and digests treat bodies as comparisons do',
  },
  replay: {
    http: 'recorded requests are sent as requests',
    grpc: 'recorded gRPC calls are judged by their status',
    upstream: 'recorded requests are sent by the same client as all others',
    recording: 'replays play recordings',
    record: 'replays count as mirrors do',
    report: 'replays are reported as mirrors are',
    mirror: 'a report needs the guard of every route, and replays have none',
    verdict: 'replays gather the evidence that a verdict judges',
    compare: 'responses are compared by the digest that was recorded',
  },
  stream: {
    recording: 'messages of a stream are records',
    grpc: 'a message has the status of a gRPC call',
    sink: 'a stream is a sink',
    mirror: 'what leaves a stream carries the mark of a copy',
    replay: 'what leaves a stream is sent as a replay',
    record: 'what leaves a stream is counted as copies are',
    upstream: 'what leaves a stream is sent by the same client as all other requests',
  },
  live: {},
  verdict: {
    grpc: 'methods of gRPC are endpoints whatever their names look like',
    compare: 'pairs are counted by endpoints that are learned as those of differences are',
    record: 'a verdict judges counters',
    report: 'a verdict judges readings, and is written with the words of reports',
  },
  rollout: {
    record: 'a step is judged by the counters of both versions',
    verdict: 'a step is judged by the tests of a verdict',
    report: 'a rollout says why in the words of reports',
  },
  hlog: {
    record: 'logs hold the histograms of counters',
    report: 'logs say which versions and roles are observed',
  },
  report: {
    grpc: 'lines of the access log name the status of gRPC calls',
    record: 'reports read counters',
    http: "analysts' samples hold field lines",
    compare: 'reports show differences',
    mirror: 'reports show what the guard holds back',
    upstream: 'reports show the health and the addresses of endpoints',
    hlog: 'reports are made from logs, too',
    verdict: 'readings carry the evidence of a verdict, and reports show its outcome',
  },
  fleet: {
    record: 'the counters of instances are added up',
    report: 'what instances send each other are readings',
    verdict: 'the evidence of instances is added up',
  },
};

t.test('no import of core or workers goes in a circle, types included', async (t) => {
  t.equal(findCircle(readImports(['core', 'workers'])), null);
});

t.test('a circle is found, whoever begins it', async (t) => {
  const imports = new Map([
    ['a.ts', ['b.ts']],
    ['b.ts', ['c.ts', 'd.ts']],
    ['c.ts', []],
    ['d.ts', ['b.ts']],
  ]);
  t.strictSame(findCircle(imports), ['b.ts', 'd.ts', 'b.ts']);
});

t.test('rooms of core import only the rooms that their border allows', async (t) => {
  for (const [file, targets] of readImports(['core'])) {
    const room = roomOf(file);
    for (const target of targets) {
      const other = roomOf(target);
      if (other === room || other === SHARED) continue;
      const reason = borders[room]?.[other];
      if (reason === undefined) t.fail(`${file} imports ${target}: ${room} may not import ${other}`);
    }
  }
});

/** `core/http/fields.ts` is in `http`; `core/clock.ts` and all parts of the plan are in every room. */
function roomOf(file: string): string {
  const [, room, ...rest] = file.split('/');
  return rest.length > 0 && room !== 'plan' ? room! : SHARED;
}

t.test('what a module exports is imported somewhere', async (t) => {
  t.strictSame(unusedExports(['bench', 'config', 'core', 'packaging', 'test', 'workers']), []);
});

t.test('a long file says why it is long', async (t) => {
  for (const file of readImports(['config', 'core', 'workers']).keys()) {
    const text = readFileSync(`${root}${file}`, 'utf8');
    const lines = text.split('\n').length;
    if (lines > linesMax)
      t.match(text, /file\s+(?:\* )?is\s+(?:\* )?long\s+(?:\* )?because/, `${file}, ${lines} lines`);
  }
});
