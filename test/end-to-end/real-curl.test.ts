// Runs over one engine: asks for both engines.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing, run, runWell } from '../support/command.js';
import { engines } from '../support/engines.js';
import { serveFiles } from '../support/files.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';
import { certificatePem, keyPem } from '../workers/downstream/uws/certificate.js';
import { bodyOf } from './mixed.js';

const MiB = 1024 * 1024;
const large = bodyOf(1, 5 * MiB + 17);
const small = bodyOf(2, 300);
const skip = missing('curl');
const quiet = ['--silent', '--show-error', '--max-time', '30', '--noproxy', '*'];
/** "Transferred a partial file", and over HTTP/2 "HTTP/2 stream error". */
const cutCodes = [18, 92];

/** umbra with a listener of each kind for each engine, v1 with files, and a v2 that gets everything too. */
async function rig(t: Test): Promise<{
  umbra: UmbraProcess;
  v1: Origin;
  directory: string;
  /** The words that lead to a listener, and the beginning of its URLs. */
  listeners: { name: string; words: string[]; url: string }[];
}> {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-curl-'));
  writeFileSync(join(directory, 'cert.pem'), certificatePem);
  writeFileSync(join(directory, 'key.pem'), keyPem);
  writeFileSync(join(directory, 'large.bin'), large);
  writeFileSync(join(directory, 'small.bin'), small);
  const files = { 'large.bin': large, 'small.bin': small };
  const [v1, v2] = [await Origin.listen(serveFiles(files)), await Origin.listen(serveFiles(files))];
  const tls = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      mirror: { body: { max: '16MiB' }, inFlight: 4096 },
      umbra: {
        threads: { proxy: 2, shadow: 1, ring: '32MiB' },
        listen: engines.flatMap((engine) => [
          { address: '127.0.0.1:0', engine },
          { address: '127.0.0.1:0', engine, tls },
        ]),
      },
    }),
  );
  const urls = (/listen=(\S+)/.exec(umbra.out)?.[1] ?? '').split(',');
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    umbra,
    v1,
    directory,
    listeners: urls.map((url, index) => ({
      name: `${engines[index >> 1]} ${new URL(url).protocol.slice(0, -1)}`,
      words: [...quiet, '--cacert', tls.cert],
      url,
    })),
  };
}

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64');

t.test('curl gets, asks for parts, validates and uploads in every way it knows', { skip }, async (t) => {
  const { umbra, v1, directory, listeners } = await rig(t);
  for (const { name, words, url } of listeners) {
    await t.test(name, async (t) => {
      const curl = async (...more: string[]): Promise<Buffer> =>
        (await runWell('curl', [...words, ...more], { cwd: directory })).out;
      const spoken = String(
        await curl('--output', 'a', '--write-out', '%{http_version}', `${url}/small.bin`),
      );
      const speaksHttp2 = spoken === '2';
      const put = async (...more: string[]): Promise<void> => {
        const before = v1.received.length;
        t.equal(String(await curl(...more)), sha(large), more.join(' '));
        t.equal(v1.received[before].bodyBytes, large.length);
        // curl expects a 100 before it uploads this much, unless an option forbids it; over HTTP/2 where one
        // asks for it.
        const expects = speaksHttp2 ? more.includes('Expect: 100-continue') : !more.includes('Expect:');
        t.equal(
          v1.received[before].fields.some(([field]) => field === 'expect'),
          expects && name.startsWith('node'),
          'with uws the expectation was met by umbra and is not passed on',
        );
      };

      t.ok((await curl(`${url}/large.bin`)).equals(large), 'GET');
      t.ok((await curl('--http2', `${url}/large.bin`)).equals(large), 'an offer of HTTP/2, taken or not');
      const head = String(await curl('--head', `${url}/large.bin`));
      t.match(head, /^HTTP\/(?:1\.1 200 OK|2 200 )\r\n/);
      t.match(head, new RegExp(`\r\ncontent-length: ${large.length}\r\n`, 'i'));
      const etag = /\r\netag: (\S+)\r\n/i.exec(head)?.[1] ?? '';
      const unchanged = String(
        await curl('--include', '--header', `If-None-Match: ${etag}`, `${url}/large.bin`),
      );
      t.match(unchanged, /^HTTP\/(?:1\.1 304 Not Modified|2 304 )\r\n(?:.+\r\n)+\r\n$/);

      const part = await curl('--include', '--range', '1000-1999', `${url}/large.bin`);
      t.match(String(part), /^HTTP\/(?:1\.1 206 Partial Content|2 206 )\r\n/);
      t.match(String(part), `content-range: bytes 1000-1999/${large.length}\r\n`);
      t.ok(part.subarray(-1000).equals(large.subarray(1000, 2000)));
      const beyond = String(await curl('--include', '--range', `${2 * large.length}-`, `${url}/large.bin`));
      t.match(beyond, /^HTTP\/(?:1\.1|2) 416 /);

      await put('--request', 'POST', '--data-binary', '@large.bin', `${url}/`);
      await put('--header', 'Expect: 100-continue', '--data-binary', '@large.bin', `${url}/`);
      await put('--header', 'Expect:', '--upload-file', 'large.bin', `${url}/`);
      await put('--header', 'Transfer-Encoding: chunked', '--upload-file', 'large.bin', `${url}/`);

      const form = v1.received.length;
      await curl('--form', 'text=umlaut ä', '--form', 'file=@small.bin;type=image/png', `${url}/`);
      t.match(
        v1.received[form].fields.find(([field]) => field === 'content-type')?.[1],
        /^multipart\/form-data; boundary=-+\w+$/,
      );

      const counts = String(
        await curl(
          '--write-out',
          '%{num_connects},',
          '-o',
          'a',
          '-o',
          'b',
          '-o',
          'c',
          ...Array(3).fill(`${url}/small.bin`),
        ),
      );
      t.equal(counts, '1,0,0,', 'one connection carries three requests');
      const outputs = Array.from({ length: 30 }, (_, index) => [
        '-o',
        `parallel-${index}`,
        `${url}/large.bin`,
      ]);
      await curl('--parallel', '--parallel-max', '10', ...outputs.flat());
      for (let index = 0; index < outputs.length; index++)
        if (!readFileSync(join(directory, `parallel-${index}`)).equals(large))
          t.fail(`parallel-${index} differs`);
    });
  }
  await lawHolds(t, umbra);
});

t.test('a download that is cut fails at the client, and continues where it was cut', { skip }, async (t) => {
  const { umbra, v1, directory, listeners } = await rig(t);
  const whole = v1.answer;
  const cutAt = 2 * MiB;
  const answerPart = (response: ServerResponse, fields: Record<string, string | number>): void => {
    response.writeHead(200, fields);
    response.write(large.subarray(0, cutAt), () => response.destroy());
  };
  for (const { name, words, url } of listeners) {
    const target = join(directory, `${name}.bin`);
    const download = [...words, '--output', target];
    v1.answer = (_received, response) => answerPart(response, { 'content-length': large.length });
    const cut = await run('curl', [...download, `${url}/large.bin`]);
    t.ok(cutCodes.includes(cut.code ?? 0), `${name}, with a length: ${cut.code} ${cut.err}`);
    const kept = readFileSync(target);
    t.ok(kept.length <= cutAt && kept.equals(large.subarray(0, kept.length)), `${kept.length} bytes came`);
    v1.answer = whole;
    await runWell('curl', [...download, '--continue-at', '-', `${url}/large.bin`]);
    t.ok(readFileSync(target).equals(large), `${name}: the rest makes it whole`);

    v1.answer = (_received, response) => answerPart(response, { 'transfer-encoding': 'chunked' });
    const cutChunks = await run('curl', [...download, `${url}/large.bin`]);
    t.ok(cutCodes.includes(cutChunks.code ?? 0), `${name}, chunked: ${cutChunks.code} ${cutChunks.err}`);
    v1.answer = whole;
  }
  await lawHolds(t, umbra);
});
