import { execFile } from 'node:child_process';
import t from 'tap';
import { type Commands, runCommand } from '../../config/command-line.js';
import { minimal } from './told.js';

interface Ran {
  exitCode: number;
  calls: unknown[];
  out: string;
  error: string;
}

/** Runs a command line with commands that only note what they were given, and return 7. */
async function ran(...args: string[]): Promise<Ran> {
  const calls: unknown[] = [];
  const out: string[] = [];
  const error: string[] = [];
  const note = (name: string) => async (options: object) => {
    calls.push([name, options]);
    return 7;
  };
  const commands: Commands = {
    run: note('run'),
    demo: note('demo'),
    mirror: note('mirror'),
    record: note('record'),
    replay: note('replay'),
    shadow: note('shadow'),
    load: note('load'),
    top: note('top'),
    report: note('report'),
    verdict: note('verdict'),
    documents: note('documents'),
  };
  const exitCode = await runCommand(['node', 'umbra', ...args], commands, {
    out: (line) => out.push(line),
    error: (line) => error.push(line),
  });
  return { exitCode, calls, out: out.join('\n'), error: error.join('\n') };
}

t.test('every command gets its options, and its exit code is returned', async (t) => {
  const cases: [string[], unknown][] = [
    [['run'], ['run', { config: 'umbra.yaml', set: [] }]],
    [
      ['run', '-c', 'a.yaml', '--set', 'a=1', '--set', 'b=2'],
      ['run', { config: 'a.yaml', set: ['a=1', 'b=2'] }],
    ],
    [['demo'], ['demo', { forMs: null, rate: 5, port: null, adminPort: null, open: false }]],
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
        { p99Delta: 0.1, errorDelta: 0.001, diff: 0.005, samplesMin: 1000, forMs: null, token: null },
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
  t.match((await ran('mirror', '--off')).calls, [['mirror', { token: 'from the environment' }]]);
  delete process.env.UMBRA_TOKEN;
});

t.test('bad usage exits with 2, says what is wrong, and runs nothing', async (t) => {
  const cases: [string[], RegExp][] = [
    [['mirrr'], /unknown command 'mirrr'\n\(Did you mean mirror\?\)/],
    [['run', '--confg', 'x'], /unknown option '--confg'\n\(Did you mean --config\?\)/],
    [['run', 'extra'], /too many arguments/],
    [['check'], /missing required argument 'file'/],
    [['demo', '--for', '5'], /'--for <duration>' argument '5' is invalid\. Expected a duration/],
    [['demo', '--port', '70000'], /Expected a port from 0 to 65535/],
    [['demo', '--rate', '0'], /Expected a whole number above 0/],
    [['mirror'], /say what to do: --percent <n>, --on or --off/],
    [['mirror', '--on'], /missing required arguments 'route' and 'version'/],
    [['mirror', 'reviews', '--off'], /missing required argument 'version'/],
    [['mirror', 'a', 'b', '--on', '--off'], /cannot be used with option/],
    [['mirror', 'a', 'b', '--percent', '5', '--off'], /cannot be used with option/],
    [['mirror', 'a', 'b', '--percent', '101'], /Expected a percentage/],
    [['mirror', '--off', '--admin', 'localhost'], /Expected an address/],
    [['load'], /missing required argument 'url'/],
    [['load', 'ftp://a'], /Expected an address/],
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
  const fail = async () => {
    throw new Error('port 8080 is taken');
  };
  const output = { out: () => {}, error: (line: string) => error.push(line) };
  t.equal(
    await runCommand(
      ['node', 'umbra', 'run'],
      {
        run: fail,
        demo: fail,
        mirror: fail,
        record: fail,
        replay: fail,
        shadow: fail,
        load: fail,
        top: fail,
        report: fail,
        verdict: fail,
        documents: fail,
      },
      output,
    ),
    1,
  );
  t.same(error, ['umbra: port 8080 is taken']);
});

t.test('check tells every problem and exits with 2, or says that all is well', async (t) => {
  const directory = t.testdir({ 'bad.yaml': minimal('drian: 1s\nlisten: [x]\n'), 'good.yaml': minimal() });
  const bad = await ran('check', `${directory}/bad.yaml`);
  t.equal(bad.exitCode, 2);
  t.equal(bad.out, '');
  t.equal(bad.error.split('\n').length, 2);
  t.ok(bad.error.startsWith(`${directory}/bad.yaml:1:1: unknown key \`drian\``));
  t.match(await ran('check', `${directory}/good.yaml`), {
    exitCode: 0,
    out: `${directory}/good.yaml: ok (1 version, 1 route, 0 mirrors)`,
    error: '',
  });
});

t.test('the program itself starts, checks and exits, without the native front', async (t) => {
  const umbra = (...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, ['bin/umbra.js', ...args], (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  t.match(await umbra('--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  t.match(await umbra('check', 'config/example.yaml'), {
    code: 0,
    stdout: 'config/example.yaml: ok (2 versions, 2 routes, 1 mirror)\n',
  });
  t.match(await umbra('check', 'none.yaml'), {
    code: 2,
    stderr: "none.yaml:1:1: can't be read: no such file\n",
  });
});

t.test('apply and delete take files, names and standard input', async (t) => {
  const admin = { admin: 'http://127.0.0.1:9901', token: null };
  const options = { files: [], names: [], namespace: null, dryRun: false, ...admin };
  const cases: [string[], object][] = [
    [
      ['apply', '-f', 'a.yaml', '-f', '-', '--dry-run'],
      { ...options, what: 'apply', files: ['a.yaml', '-'], dryRun: true },
    ],
    [
      ['delete', 'virtualservice', 'a', 'b', '-n', 'prod'],
      { ...options, what: 'delete', names: ['virtualservice/a', 'virtualservice/b'], namespace: 'prod' },
    ],
    [['delete', 'httproute/a'], { ...options, what: 'delete', names: ['httproute/a'] }],
    [['delete', '-f', 'a.yaml'], { ...options, what: 'delete', files: ['a.yaml'] }],
  ];
  for (const [args, expected] of cases) {
    const { calls } = await ran(...args);
    t.match(calls, [['documents', expected]], args.join(' '));
  }
  for (const args of [['apply'], ['delete'], ['delete', 'virtualservice'], ['delete', 'a/b', 'c']]) {
    const { exitCode, calls, error } = await ran(...args);
    t.equal(exitCode, 2, args.join(' '));
    t.strictSame(calls, []);
    t.match(error, /error: /);
  }
});
