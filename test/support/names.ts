/**
 * Loaded before umbra (`node --import`). Names resolve to what a file says, which a test may change while
 * umbra runs, and each lookup is logged with the process and thread that asked. UMBRA_TEST_NAMES is the file,
 * JSON by name: a list of addresses, null for a name that is not found, "hang" for a resolver that never
 * answers. Other names are not found.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { isIP } from 'node:net';
import { threadId } from 'node:worker_threads';

type Answer = readonly string[] | null | 'hang';
type Callback = (error: Error | null, ...found: unknown[]) => void;

const file = process.env.UMBRA_TEST_NAMES!;
const dns = createRequire(import.meta.url)('node:dns') as {
  lookup: (name: string, ...more: unknown[]) => unknown;
  promises: { lookup: (name: string, ...more: unknown[]) => unknown };
};

const asker = process.argv[1]?.endsWith('resolver-process.js') ? 'resolver' : `thread-${threadId}`;
note('loaded');

// The node engine asks for the family of the address that it is to listen on.
const lookUpLater = dns.promises.lookup;
dns.promises.lookup = (name: string, ...more: unknown[]) => {
  if (isIP(name) !== 0) return lookUpLater(name, ...more);
  return new Promise((resolve, reject) => {
    note(`lookup ${name}`);
    const answer = answerTo(name);
    if (answer === 'hang') {
      note(`hangs on ${name}`);
      return;
    }
    if (answer === null) reject(notFound(name));
    else resolve(answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
  });
};
// What sockets use. Servers hand their own addresses through here; of names nothing of umbra's should come.
const lookUp = dns.lookup;
dns.lookup = (name: string, ...more: unknown[]) => {
  if (isIP(name) !== 0) return lookUp(name, ...more);
  note(`lookup ${name}`);
  process.nextTick(more.at(-1) as Callback, notFound(name));
};
syncBuiltinESMExports();

function note(event: string): void {
  appendFileSync(`${file}.log`, `${asker} ${event}\n`);
}

function answerTo(name: string): Answer {
  const names = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Answer>;
  return names[name] ?? null;
}

function notFound(name: string): Error {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
}
