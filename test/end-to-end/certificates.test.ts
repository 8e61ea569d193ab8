// Runs over both engines.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { clientKey, clientPem, serverKey, serverPem } from '../support/authority.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { engine, reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';

const directory = mkdtempSync(join(tmpdir(), 'umbra-certificates-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
const write = (certText: string, keyText: string): void => {
  writeFileSync(cert, certText);
  writeFileSync(key, keyText);
};

interface Kept {
  readonly socket: TLSSocket;
  readonly serial: string;
  /** One request on this connection; what came. */
  ask(): Promise<string>;
}

function open(port: number): Promise<Kept> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      let text = '';
      let ended = false;
      socket.on('data', (data: Buffer) => {
        text += data.toString('latin1');
      });
      socket.on('close', () => {
        ended = true;
      });
      const ask = async (): Promise<string> => {
        text = '';
        socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
        await until(() => ended || text.endsWith('ok\n'), 'an answer over TLS');
        return text;
      };
      resolve({ socket, serial: socket.getPeerCertificate().serialNumber, ask });
    });
    socket.once('error', reject);
  });
}

t.test(
  'SIGHUP changes the certificate and drops no connection; one that will not do is refused',
  async (t) => {
    write(serverPem, serverKey);
    const v1 = await Origin.listen();
    const umbra = await UmbraProcess.start(
      reviews(v1.port, null, {
        umbra: { threads: twoProxies, listen: [{ address: '127.0.0.1:0', engine, tls: { cert, key } }] },
      }),
    );
    t.teardown(async () => {
      await umbra.stop();
      await v1.close();
    });
    const before = await Promise.all([1, 2, 3, 4].map(() => open(umbra.port)));
    for (const kept of before) t.match(await kept.ask(), /^HTTP\/1\.1 200 /);

    write(clientPem, clientKey);
    umbra.signal('SIGHUP');
    await umbra.logged(/configuration reloaded \(SIGHUP\)/);
    const after = await Promise.all([1, 2, 3, 4].map(() => open(umbra.port)));
    for (const kept of after) {
      t.not(kept.serial, before[0]!.serial, 'every thread shows the new certificate');
      t.match(await kept.ask(), /^HTTP\/1\.1 200 /);
    }
    for (const kept of before) t.match(await kept.ask(), /^HTTP\/1\.1 200 /, 'who was connected still is');

    write(serverPem, clientKey);
    umbra.signal('SIGHUP');
    await umbra.logged(/listen\[0\]\.tls\.key: .*key\.pem is not the key of .*cert\.pem/);
    t.match(umbra.err, /the configuration has errors; the running one stays in force/);
    const still = await open(umbra.port);
    t.equal(still.serial, after[0]!.serial);
    t.match(await still.ask(), /^HTTP\/1\.1 200 /);

    // An older certificate's last connection goes, and then the app that it belonged to, with the next plan.
    for (const kept of before) kept.socket.destroy();
    write(serverPem, serverKey);
    umbra.signal('SIGHUP');
    await until(() => umbra.err.match(/configuration reloaded \(SIGHUP\)/g)?.length === 2, 'the next plan');
    const last = await open(umbra.port);
    t.equal(last.serial, before[0]!.serial);
    for (const kept of [...after, last]) t.match(await kept.ask(), /^HTTP\/1\.1 200 /);
    for (const kept of [...after, still, last]) kept.socket.destroy();
  },
);
