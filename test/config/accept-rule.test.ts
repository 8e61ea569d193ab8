import { AcceptRefusal, acceptInConfig, ruleOf } from '../../config/accept-rule.js';
import { loadConfig } from '../../config/load.js';
import t from '../support/tap.js';

const config = `# umbra between two versions
listen: [{ address: 127.0.0.1:0 }]
versions:
  v1: { endpoints: ["http://127.0.0.1:1"] } # released
  v2: { endpoints: ["http://127.0.0.1:2"] }
routes:
  - name: reviews
    primary: v1
    mirrors:
      - to: v2
        compare:
          sample: 100% # all of them
`;

const group = {
  route: 'reviews',
  version: 'v2',
  endpoint: 'GET /reviews/*',
  kind: 'json',
  path: '$.reviews[*].stars',
  change: 'extra',
};

t.test('a rule is added, and comments stay', async (t) => {
  const once = acceptInConfig(config, group) as string;
  const twice = acceptInConfig(once, {
    ...group,
    kind: 'header',
    path: 'set-cookie sid; httponly',
    change: 'missing',
  }) as string;
  t.match(twice, /# umbra between two versions\n/);
  t.match(twice, /# released\n/);
  t.match(twice, /# all of them\n/);
  t.match(twice, /\{ path: .*\$\.reviews\[\*\]\.stars.*, endpoint: GET \/reviews\/\*, ignore: extra \}/);
  const loaded = loadConfig(twice, 'umbra.yaml');
  t.ok(loaded.ok, JSON.stringify(loaded));
  t.match(loaded, {
    config: {
      routes: [
        {
          mirrors: [
            {
              compare: {
                rules: [
                  {
                    path: { kind: 'json', path: '$.reviews[*].stars' },
                    endpoint: 'GET /reviews/*',
                    ignore: 'extra',
                  },
                  { path: { kind: 'header', path: 'set-cookie sid; httponly' }, ignore: 'missing' },
                ],
              },
            },
          ],
        },
      ],
    },
  });
});

t.test('a configuration that can not take the rule is named', async (t) => {
  for (const [text, wrong, reason] of [
    ['routes: [', group, /not YAML/],
    [config, { ...group, route: 'other' }, /no route `other`/],
    [config, { ...group, version: 'v3' }, /no mirror of `reviews` to `v3`/],
    [config.replace(/compare:[\s\S]*/, 'percent: 5\n'), group, /no `compare`/],
  ] as const) {
    const refusal = acceptInConfig(text, wrong);
    t.ok(refusal instanceof AcceptRefusal && reason.test(refusal.reason), String(reason));
  }
});

t.test('a rule accepts one group and nothing else', async (t) => {
  t.strictSame(ruleOf(group), { path: '$.reviews[*].stars', endpoint: 'GET /reviews/*', ignore: 'extra' });
  t.strictSame(ruleOf({ ...group, kind: 'text', path: 'made at …', endpoint: '' }), {
    path: 'text:made at …',
    ignore: 'extra',
  });
});
