/**
 * Scenario `memory`: resident memory of an umbra with two proxy threads and one shadow thread, mirroring everything:
 * after full speed, and around one upload and one download that must stream through.
 */
import { request } from 'node:http';
import { pipeline } from 'node:stream';
import { blocks } from './bulk-origin.js';
import { beside, Child, nextMessage } from './child.js';
import { startOrigins } from './origins.js';
import { memoryOf, resetPeak } from './proc.js';
import { count, mebibytes, tableText } from './table.js';
import { startUmbra } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';

const bulkBytes = 2 ** 30;
const mebibyte = 2 ** 20;
const residentMaxMib = 150;
const growthMaxMib = 50;

interface Step {
  readonly name: string;
  readonly beforeBytes: number;
  readonly afterBytes: number;
  /** While it ran; of the whole life where the kernel does not let it be reset. */
  readonly peakBytes: number;
}

export async function memory({ options, placement, generator }: Bench): Promise<Verdict> {
  const origins = await startOrigins(placement.rest);
  const bulk = new Child(process.execPath, [beside('bulk-origin.js', import.meta.url)], {
    cpus: placement.rest,
    ipc: true,
  });
  const steps: Step[] = [];
  const problems: string[] = [];
  let requests = 0;
  try {
    const { port: bulkPort } = await nextMessage<{ port: number }>(bulk);
    const small = await startUmbra(
      {
        proxyThreads: 2,
        primaryPort: origins.primary.port,
        shadowPort: origins.shadow.port,
        routes: mirrored,
      },
      placement.proxy,
    );
    try {
      const step = await measured(small.pid, 'full speed', async () => {
        const load = await generator.run(small.url, options.connections, options.seconds * options.rounds);
        requests = load.requests;
        if (load.errors > 0) problems.push(`full speed: ${load.errors} errors`);
      });
      steps.push(step);
    } finally {
      await small.stop();
    }
    // A second umbra, because its origins take bodies; warmed, so that growth is the body's and not the compiler's.
    const large = await startUmbra(
      { proxyThreads: 2, primaryPort: bulkPort, shadowPort: bulkPort, routes: mirrored },
      placement.proxy,
    );
    try {
      await upload(large.url, mebibyte);
      await download(large.url, mebibyte);
      for (const [name, transfer] of [['upload', upload] as const, ['download', download] as const]) {
        try {
          steps.push(await measured(large.pid, name, () => transfer(large.url, bulkBytes)));
        } catch (error) {
          problems.push(`${(error as Error).message}; umbra counted ${await failuresText(large.admin)}`);
        }
      }
    } finally {
      await large.stop();
    }
  } finally {
    await Promise.all([bulk.stop(), origins.primary.stop(), origins.shadow.stop()]);
  }
  const rows = steps.map(({ name, beforeBytes, afterBytes, peakBytes }) => [
    name,
    ...[beforeBytes, afterBytes, peakBytes].map(mebibytes),
  ]);
  console.log(
    `${tableText(['step', 'before MiB', 'after MiB', 'peak MiB'], rows)}\n\n${count(requests)} requests at full speed`,
  );
  return { aims: aims(steps, problems), measured: { requests, steps, problems } };
}

const mirrored = '  - { name: all, primary: v1, mirrors: [ { to: v2, percent: 100 } ] }';

function aims(steps: readonly Step[], problems: readonly string[]): Aim[] {
  const aim = (what: string, name: string, mib: (step: Step) => number, max: number): Aim => {
    const step = steps.find((one) => one.name === what);
    if (step === undefined) return { name, found: 'it failed', isMet: null };
    return { name, found: `${mib(step).toFixed(0)} MiB`, isMet: mib(step) <= max };
  };
  const resident = (step: Step): number => step.afterBytes / mebibyte;
  const growth = (step: Step): number => (step.afterBytes - step.beforeBytes) / mebibyte;
  return [
    aim('full speed', `resident after full speed <= ${residentMaxMib} MiB`, resident, residentMaxMib),
    aim('upload', `growth by an upload of 1 GiB <= ${growthMaxMib} MiB`, growth, growthMaxMib),
    aim('download', `growth by a download of 1 GiB <= ${growthMaxMib} MiB`, growth, growthMaxMib),
    { name: 'no failed request', found: problems.join('; ') || 'none', isMet: problems.length === 0 },
  ];
}

async function measured(pid: number, name: string, work: () => Promise<void>): Promise<Step> {
  resetPeak(pid);
  const beforeBytes = memoryOf([pid]).residentBytes;
  await work();
  const { residentBytes, peakBytes } = memoryOf([pid]);
  return { name, beforeBytes, afterBytes: residentBytes, peakBytes };
}

/** What umbra itself says went wrong with the primary, because a client that is cut off learns little. */
async function failuresText(admin: string): Promise<string> {
  const stats = (await (await fetch(`${admin}/api/stats`)).json()) as {
    versions: { v1: { primary: { failures: Record<string, number> } } };
  };
  const counted = Object.entries(stats.versions.v1.primary.failures).filter(([, failures]) => failures > 0);
  return counted.map(([reason, failures]) => `${failures} ${reason}`).join(', ') || 'no failure';
}

function upload(url: string, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      { method: 'POST', headers: { 'content-length': bytes }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (part: string) => {
          text += part;
        });
        response.on('error', reject);
        response.on('end', () =>
          text === String(bytes)
            ? resolve()
            : reject(new Error(`upload: ${response.statusCode} ${text.trim().slice(0, 80)}`)),
        );
      },
    );
    call.on('error', reject);
    pipeline(blocks(bytes), call, () => {});
  });
}

function download(url: string, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(`${url}${bytes}`, { agent: false }, (response) => {
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      response.on('error', reject);
      response.on('end', () =>
        received === bytes
          ? resolve()
          : reject(new Error(`download: ${response.statusCode}, ${received} bytes`)),
      );
    });
    call.on('error', reject);
    call.end();
  });
}
