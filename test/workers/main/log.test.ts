/** umbra's own log: what its lines hide of what they quote. */

import { LogFilter } from '../../../workers/main/log.js';
import { RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { reviews, UmbraProcess, until } from '../../support/umbra.js';

const lists = {
  defaults: false,
  headers: ['x-customer'],
  query: ['Sig'],
  json: ['$..email', "$['user']['tax id']", '$.list[0]'],
};

t.test('a line hides what is secret by its name, and what redact lists', async (t) => {
  const filter = new LogFilter();
  t.equal(filter.shown('password=S x-customer: S'), 'password=[redacted] x-customer: S');
  filter.follow(lists);
  for (const [line, shown] of [
    ['password=S', 'password=[redacted]'],
    ['x-customer: S', 'x-customer: [redacted]'],
    ['asked for /r?sig=S&a=1', 'asked for /r?sig=[redacted]&a=1'],
    ['{"email":"S","name":"ada"}', '{"email":[redacted],"name":"ada"}'],
    ['Bearer 0123456789', 'Bearer [redacted]'],
    ['nothing here: 1=1', 'nothing here: 1=1'],
  ] as const)
    t.equal(filter.shown(line), shown, line);
});

t.test('fields of a line are hidden at any depth, and errors with their stacks', async (t) => {
  const filter = new LogFilter();
  filter.follow(lists);
  t.strictSame(filter.shown({ n: 1, none: null, problems: ['sig=S'], at: { why: 'x-customer: S\u0007' } }), {
    n: 1,
    none: null,
    problems: ['sig=[redacted]'],
    at: { why: 'x-customer: [redacted]' },
  });
  const error = filter.shown(new TypeError('refused: token=S')) as Error;
  t.type(error, TypeError);
  t.equal(error.message, 'refused: token=[redacted]');
  t.notMatch(error.stack, /token=S/);
  t.match(error.stack, /log\.test/);
});

t.test("a running umbra's lines follow the lists of the plan in force", async (t) => {
  const server = await RawServer.listen(() => {});
  const config = (redact: object, primary: string) =>
    reviews(server.port, null, { umbra: { redact }, route: { primary } });
  const umbra = await UmbraProcess.start(config({ query: ['alpha'] }, 'v1'));
  t.teardown(async () => {
    await umbra.stop();
    await server.close();
  });
  const refused = (count: number) =>
    until(() => umbra.err.split('has errors').length > count, `${count} refusals are in the log`);
  umbra.file.write(config({}, 'alpha=S1, beta=S2'));
  await refused(1);
  umbra.file.write(config({ query: ['beta'] }, 'v1'));
  await until(() => umbra.err.includes('reloaded'), 'the other list is in force');
  umbra.file.write(config({}, 'alpha=S3, beta=S4'));
  await refused(2);
  t.notMatch(umbra.err, /S1/);
  t.match(umbra.err, /alpha=\[redacted\]/);
  t.match(umbra.err, /beta=S2/);
  t.match(umbra.err, /alpha=S3/);
  t.notMatch(umbra.err, /S4/);
});
