import { runCommand } from '../../config/command-line.js';
import { type CommandActions, commands } from '../../config/commands/index.js';
import t from '../support/tap.js';

interface Ran {
  exitCode: number;
  calls: unknown[];
  out: string;
  error: string;
}

/** One action for all commands. */
function actionsFrom(act: (name: string, options: unknown) => number): CommandActions {
  const names = Object.keys(commands);
  return Object.fromEntries(
    names.map((name) => [name, async (options: unknown) => act(name, options)]),
  ) as unknown as CommandActions;
}

/** Runs a command line with commands that only note what they were given, and return 7. */
async function ran(...args: string[]): Promise<Ran> {
  const calls: unknown[] = [];
  const out: string[] = [];
  const error: string[] = [];
  const exitCode = await runCommand(
    ['node', 'umbra', ...args],
    actionsFrom((name, options) => {
      calls.push([name, options]);
      return 7;
    }),
    {
      out: (line) => out.push(line),
      err: (line) => error.push(line),
    },
  );
  return { exitCode, calls, out: out.join('\n'), error: error.join('\n') };
}

t.test('every command gets its options, and its exit code is returned', async (t) => {
  const cases: [string[], unknown][] = [
    [['run'], ['run', { config: 'umbra.yaml', set: [] }]],
    [
      ['run', 'a.yaml'],
      ['run', { config: 'a.yaml' }],
    ],
    [
      ['run', '-c', 'a.yaml', '--set', 'a=1', '--set', 'b=2'],
      ['run', { config: 'a.yaml', set: ['a=1', 'b=2'] }],
    ],
    [['demo'], ['demo', { services: null, forMs: null, rate: 5, port: null, adminPort: null, open: false }]],
    [
      ['demo', '--services', 'v2,v1'],
      ['demo', { services: ['v2', 'v1'] }],
    ],
    [
      ['demo', '--for', '30s', '--rate', '9', '--port', '0', '--admin-port', '9902', '--open'],
      ['demo', { forMs: 30_000, rate: 9, port: 0, adminPort: 9902, open: true }],
    ],
    [
      ['mirror', 'reviews', 'v2', '--percent', '0.5%', '--token', 'x'],
      [
        'mirror',
        {
          route: 'reviews',
          version: 'v2',
          percent: 0.5,
          on: false,
          off: false,
          admin: 'http://127.0.0.1:9901',
          token: 'x',
        },
      ],
    ],
    [
      ['mirror', 'reviews', 'v2', '--on', '--admin', 'http://10.0.0.1:1'],
      [
        'mirror',
        {
          route: 'reviews',
          version: 'v2',
          percent: null,
          on: true,
          off: false,
          admin: 'http://10.0.0.1:1',
          token: null,
        },
      ],
    ],
    [
      ['mirror', '--off'],
      [
        'mirror',
        {
          route: null,
          version: null,
          percent: null,
          on: false,
          off: true,
          admin: 'http://127.0.0.1:9901',
          token: null,
        },
      ],
    ],
    [
      ['load', 'http://a/'],
      ['load', { url: 'http://a/', rate: null, durationMs: 30_000, connections: 10, body: null }],
    ],
    [
      ['load', 'http://a/', '--rate', '100', '--duration', '5m', '--connections', '2', '--body', 'b.json'],
      ['load', { url: 'http://a/', rate: 100, durationMs: 300_000, connections: 2, body: 'b.json' }],
    ],
    [
      ['load', 'http://a/', '-X', 'put', '-H', 'X-User: 7', '-H', 'a:b', '--host', 'reviews'],
      [
        'load',
        {
          method: 'PUT',
          headers: [
            ['X-User', '7'],
            ['a', 'b'],
          ],
          host: 'reviews',
        },
      ],
    ],
    [
      ['load', 'http://a/', '--http2', '--streams', '8'],
      ['load', { http2: true, streams: 8, grpc: null }],
    ],
    [
      ['load', 'http://a', '--grpc', 'shop.Shop.Get', '--descriptors', 'shop.binpb', '-d', '{"id":1}'],
      [
        'load',
        { http2: true, grpc: { method: 'shop.Shop/Get', descriptors: 'shop.binpb', data: '{"id":1}' } },
      ],
    ],
    [
      ['load', 'http://a', '--grpc', '/shop.Shop/Get', '--descriptors', 'shop.binpb'],
      ['load', { grpc: { method: 'shop.Shop/Get', data: '{}' } }],
    ],
    [['top'], ['top', { admin: 'http://127.0.0.1:9901', token: null, once: false }]],
    [
      ['top', '--once', '--token', 'x'],
      ['top', { admin: 'http://127.0.0.1:9901', token: 'x', once: true }],
    ],
    [
      ['report'],
      ['report', { admin: 'http://127.0.0.1:9901', token: null, hlog: [], output: 'report.html' }],
    ],
    [
      ['report', '--hlog', 'a.hlog', 'b.hlog', '--hlog', 'c.hlog', '-o', '-'],
      [
        'report',
        { admin: 'http://127.0.0.1:9901', token: null, hlog: ['a.hlog', 'b.hlog', 'c.hlog'], output: '-' },
      ],
    ],
    [
      ['verdict'],
      [
        'verdict',
        {
          shift: 0.02,
          p99Delta: 0.1,
          errorDelta: 0.0005,
          diff: 0.001,
          samplesMin: 1000,
          forMs: null,
          untilDecided: false,
          output: 'text',
          token: null,
        },
      ],
    ],
    [
      ['verdict', '--max-p99-delta', '150%', '--max-error-delta', '0', '--max-diff', '0.01%', '--for', '5m'],
      ['verdict', { p99Delta: 1.5, errorDelta: 0, diff: 0.0001, samplesMin: 1000, forMs: 300_000 }],
    ],
  ];
  const before = process.env.UMBRA_TOKEN;
  delete process.env.UMBRA_TOKEN;
  t.teardown(() => {
    if (before !== undefined) process.env.UMBRA_TOKEN = before;
  });
  for (const [args, call] of cases)
    t.match(await ran(...args), { exitCode: 7, calls: [call], error: '' }, args.join(' '));
  process.env.UMBRA_TOKEN = 'from the environment';
  process.env.UMBRA_ADMIN = 'unix:/run/umbra/admin.sock';
  t.match((await ran('mirror', '--off')).calls, [
    ['mirror', { token: 'from the environment', admin: 'unix:/run/umbra/admin.sock' }],
  ]);
  t.match((await ran('top', '--admin', 'http://[::1]:1')).calls, [['top', { admin: 'http://[::1]:1' }]]);
  process.env.UMBRA_ADMIN = 'no address';
  t.match(await ran('top'), { exitCode: 2, error: /'no address' from env 'UMBRA_ADMIN' is invalid/ });
  delete process.env.UMBRA_TOKEN;
  delete process.env.UMBRA_ADMIN;
});

t.test('bad usage exits with 2, says what is wrong, and runs nothing', async (t) => {
  const cases: [string[], RegExp][] = [
    [['mirrr'], /unknown command 'mirrr'\n\(Did you mean mirror\?\)/],
    [['run', '--confg', 'x'], /unknown option '--confg'\n\(Did you mean --config\?\)/],
    [['run', 'one.yaml', 'two.yaml'], /too many arguments/],
    [['run', 'one.yaml', '-c', 'two.yaml'], /give the configuration once/],
    [['completion', 'tcsh'], /Expected bash or zsh or fish/],
    [['verdict', '--what'], /unknown option '--what'\n\(run umbra verdict --help for usage\)/],
    [['check'], /missing required argument 'file'/],
    [['demo', '--for', '5'], /'--for <duration>' argument '5' is invalid\. Expected a duration/],
    [['demo', '--port', '70000'], /Expected a port from 0 to 65535/],
    [['demo', '--rate', '0'], /Expected a whole number above 0/],
    [['demo', '--services', 'v3'], /Expected v1, v2 or v1,v2/],
    [['demo', '--services', 'v1', '--rate', '9'], /'--services' cannot be used with any other/],
    [['demo', '--services', 'v1', '--grpc'], /'--services' cannot be used with any other/],
    [['mirror'], /expected one of --percent <n>, --on, --off and --reset/],
    [['rollout'], /missing required argument 'action'/],
    [['rollout', 'dance'], /Expected start or status/],
    [['rollout', 'start'], /missing required argument 'route'/],
    [['rollout', 'abort', 'reviews', 'v2'], /abort takes a route alone/],
    [['rollout', 'pause', 'reviews', '--steps', '1%'], /are for start, not for pause/],
    [['rollout', 'history', '--wait'], /--wait needs one rollout/],
    [['rollout', 'abort', 'reviews', '--full'], /--full is for promote/],
    [['rollout', 'start', 'reviews', '--reason', 'x'], /--reason is for/],
    [['weights'], /missing required argument 'route'/],
    [['weights', 'reviews'], /expected weights such as v1=95 v2=5, or --reset/],
    [['weights', 'reviews', 'v1'], /v1: expected VERSION=WEIGHT/],
    [['weights', 'reviews', 'v1=1', 'v1=2'], /v1 is given twice/],
    [['weights', 'reviews', 'v1=1', '--reset'], /exclude each other/],
    [['mirror', '--on'], /missing required arguments 'route' and 'version'/],
    [['mirror', 'reviews', '--off'], /missing required argument 'version'/],
    [['mirror', 'a', 'b', '--on', '--off'], /cannot be used with option/],
    [['mirror', 'a', 'b', '--percent', '5', '--off'], /cannot be used with option/],
    [['mirror', 'a', 'b', '--percent', '101'], /Expected a percentage/],
    [['mirror', '--percent', '1'], /missing required arguments 'route' and 'version'/],
    [['mirror', 'a', 'b', '--on', '--percent', '1'], /cannot be used with option/],
    [['mirror', '--off', '--admin', 'localhost'], /Expected an address/],
    [['mirror', '--off', '--admin', 'unix:relative.sock'], /Expected an address/],
    [['mirror', '--off', '--admin', 'unix:'], /Expected an address/],
    [['replay', 'a', '--to', 'http://a', '--speed', 'max', '--rate', '1'], /cannot be used with option/],
    [['top', '--instance', 'a'], /--instance needs --fleet/],
    [['shadow', '--from', 'nats://h/s', '--to', 'v2'], /names a version: name its configuration with -c/],
    [['load'], /missing required argument 'url'/],
    [['load', 'ftp://a'], /Expected an address/],
    [['load', 'http://a', '-H', 'x'], /Expected a header/],
    [['load', 'http://a', '-X', 'a b'], /Expected a method/],
    [['load', 'http://a', '--grpc', 'shop.Shop/Get'], /--grpc needs --descriptors FILE/],
    [['load', 'http://a', '--grpc', 'Get', '--descriptors', 'x'], /Expected a method such as shop.Shop\/Get/],
    [['load', 'http://a', '--data', '{}'], /need --grpc/],
    [['load', 'http://a', '--streams', '2'], /--streams needs --http2/],
    [
      ['load', 'http://a', '--grpc', 'a.B/C', '--descriptors', 'x', '--body', 'y'],
      /--grpc takes --data, not --body or --method/,
    ],
    [[], /Usage: umbra/],
  ];
  for (const [args, message] of cases) {
    const result = await ran(...args);
    t.match(result.error, message, args.join(' '));
    t.match(result, { exitCode: 2, calls: [] }, args.join(' '));
  }
});

t.test('help and version go to standard output and exit with 0', async (t) => {
  t.match(await ran('--version'), { exitCode: 0, out: /^\d+\.\d+\.\d+$/ });
  for (const args of [['--help'], ['help'], ['mirror', '--help'], ['help', 'load']]) {
    t.match(await ran(...args), { exitCode: 0, out: /^Usage: umbra/, error: '' }, args.join(' '));
  }
});

t.test('a command that fails exits with 1 and says why', async (t) => {
  const error: string[] = [];
  const actions = actionsFrom(() => {
    throw new Error('port 8080 is taken');
  });
  const io = { out: () => {}, err: (line: string) => error.push(line) };
  t.equal(await runCommand(['node', 'umbra', 'run'], actions, io), 1);
  t.same(error, ['umbra: port 8080 is taken']);
});

t.test('apply and delete take files, names and standard input', async (t) => {
  const admin = { admin: 'http://127.0.0.1:9901', token: null };
  const options = { files: [], names: [], namespace: null, dryRun: false, ...admin };
  const cases: [string[], object][] = [
    [['apply', '-f', 'a.yaml', '-f', '-', '--dry-run'], { ...options, files: ['a.yaml', '-'], dryRun: true }],
    [
      ['delete', 'virtualservice', 'a', 'b', '-n', 'prod'],
      { ...options, names: ['virtualservice/a', 'virtualservice/b'], namespace: 'prod' },
    ],
    [['delete', 'httproute/a'], { ...options, names: ['httproute/a'] }],
    [['delete', '-f', 'a.yaml'], { ...options, files: ['a.yaml'] }],
  ];
  for (const [args, expected] of cases) {
    const { calls } = await ran(...args);
    t.match(calls, [[args[0], expected]], args.join(' '));
  }
  for (const args of [['apply'], ['delete'], ['delete', 'virtualservice'], ['delete', 'a/b', 'c']]) {
    const { exitCode, calls, error } = await ran(...args);
    t.equal(exitCode, 2, args.join(' '));
    t.strictSame(calls, []);
    t.match(error, /error: /);
  }
});
