import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { JSON_BODY, startAdmin } from './admin.js';

const YAML_BODY = { 'content-type': 'application/yaml' };

t.test('a body is one file, or as many as it names', async (t) => {
  const admin = await startAdmin(t);
  const one = await admin.send('POST', '/api/apply?strict=true', { headers: YAML_BODY, body: 'kind: A' });
  t.equal(one.status, 200);
  t.strictSame(one.json, { generation: 6, ended: [], told: ['a created'], warnings: [], yaml: null });
  const files = [
    { file: 'a.yaml', text: 'kind: A' },
    { file: 'b.yaml', text: 'kind: B' },
  ];
  await admin.send('POST', '/api/delete?dryRun=true', {
    headers: JSON_BODY,
    body: JSON.stringify({ files }),
  });
  t.strictSame(admin.asked.documents, [
    { change: { what: 'apply', files: [{ file: 'request', text: 'kind: A' }], strict: true }, dryRun: false },
    { change: { what: 'delete', files, strict: false }, dryRun: true },
  ]);
});

t.test('what is no request for documents is refused before anything is asked for', async (t) => {
  const admin = await startAdmin(t);
  const status = async (path: string, headers: Record<string, string>, body: string, method = 'POST') =>
    (await admin.send(method, path, { headers, body })).status;
  t.equal(await status('/api/apply', JSON_BODY, '{"files":[]}'), 400);
  t.equal(await status('/api/apply', JSON_BODY, '{"files":[{"file":1}]}'), 400);
  t.equal(await status('/api/apply?dryRun=yes', YAML_BODY, 'a: 1'), 400);
  t.equal(await status('/api/apply?strict=1', YAML_BODY, 'a: 1'), 400);
  t.equal(await status('/api/apply', { 'content-type': 'text/plain' }, 'a: 1'), 415);
  t.equal(await status('/api/apply', YAML_BODY, 'a: 1', 'PUT'), 405);
  t.strictSame(admin.asked.documents, []);
});

t.test('documents may be larger than other bodies', async (t) => {
  const admin = await startAdmin(t);
  const body = '#'.repeat(2 * limits.adminBodyBytes);
  t.equal((await admin.send('POST', '/api/apply', { headers: YAML_BODY, body })).status, 200);
  t.equal(admin.asked.documents[0].change.files[0].text.length, body.length);
});

t.test('a refusal comes with every problem', async (t) => {
  const problems = ['request:1:1: no'];
  const admin = await startAdmin(t, {
    changeDocuments: async () => ({ ok: false, status: 422, message: 'x', problems }),
  });
  const answer = await admin.send('POST', '/api/apply', { headers: YAML_BODY, body: 'a: 1' });
  t.equal(answer.status, 422);
  t.strictSame(answer.json, { error: 'the documents were rejected; nothing was changed', problems });
});
