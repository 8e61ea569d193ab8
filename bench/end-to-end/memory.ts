/**
 * Scenario `memory`: resident memory of an umbra with two proxy threads and one shadow thread, mirroring
 * everything: after full speed, and around one upload and one download that must stream through.
 */
import { request } from 'node:http';
import { pipeline } from 'node:stream';
import { blocks } from './bulk-origin.js';
import { beside, Child, nextMessage } from './child.js';
import { type Origins, startOrigins } from './origins.js';
import { memoryOf, resetPeak } from './proc.js';
import { count, mebibytes, tableText } from './table.js';
import { mirroredRoute, startUmbra } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';

const bulkBytes = 2 ** 30;
const mebibyte = 2 ** 20;
const residentMaxMib = 150;
const underLoadMaxMib = 120;
const growthMaxMib = 50;

interface Step {
  readonly name: string;
  readonly beforeBytes: number;
  readonly afterBytes: number;
  /** While it ran; of the whole life where the kernel does not let it be reset. */
  readonly peakBytes: number;
}

/**
 * What `peers` wants to know of memory: the peak of two proxy threads and one shadow thread at full speed.
 */
export async function underLoad(bench: Bench): Promise<{ readonly aim: Aim; readonly measured: unknown }> {
  const origins = await startOrigins(bench.placement.rest);
  try {
    const { step, requests, errors } = await fullSpeed(bench, origins);
    const peakMib = step.peakBytes / mebibyte;
    return {
      aim: {
        name: `peak resident memory under load, 2 proxy threads and 1 shadow thread <= ${underLoadMaxMib} MiB`,
        found:
          errors > 0 ? `${errors} errors` : `${peakMib.toFixed(0)} MiB after ${count(requests)} requests`,
        isMet: errors > 0 ? null : peakMib <= underLoadMaxMib,
      },
      measured: step,
    };
  } finally {
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
}

async function fullSpeed(
  { options, placement, generator }: Bench,
  { primary, shadow }: Origins,
): Promise<{ readonly step: Step; readonly requests: number; readonly errors: number }> {
  const ports = { primaryPort: primary.port, shadowPort: shadow.port };
  const umbra = await startUmbra({ proxyThreads: 2, routes: mirroredRoute, ...ports }, placement.proxy);
  try {
    let load = { requests: 0, errors: 0 };
    const step = await measured(umbra.pid, 'full speed', async () => {
      load = await generator.run(umbra.url, options.connections, options.seconds * options.rounds);
    });
    return { step, ...load };
  } finally {
    await umbra.stop();
  }
}

export async function memory(bench: Bench): Promise<Verdict> {
  const { placement } = bench;
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
    const full = await fullSpeed(bench, origins);
    steps.push(full.step);
    requests = full.requests;
    if (full.errors > 0) problems.push(`full speed: ${full.errors} errors`);
    // A second umbra, because its origins take bodies; warmed, so that growth is the body's and not the
    // compiler's.
    const large = await startUmbra(
      { proxyThreads: 2, primaryPort: bulkPort, shadowPort: bulkPort, routes: mirroredRoute },
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
