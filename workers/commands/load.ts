/** `umbra load`: drives load at a URL and prints what it met. */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { LoadCommandOptions } from '../../config/commands/load.js';
import { exitFailure, exitOk } from '../../config/exit-codes.js';
import { driveLoad, type LoadFigures, type LoadOptions, type RunningLoad } from '../load/drive.js';
import { driveHttp2Load } from '../load/drive-http2.js';
import { type GrpcWords, grpcCallBody } from '../load/grpc-call-body.js';
import { barText, loadJson, loadText } from '../load/load-text.js';

const connectTimeoutMs = 5000;
const barIntervalMs = 200;
const defaultPorts: Record<string, number> = { 'http:': 80, 'https:': 443 };
const eraseLine = '\r\x1b[K';

/** Resolves with the exit code: 1 if the load could not begin or nothing answered, else 0. */
export async function loadCommand(options: LoadCommandOptions): Promise<number> {
  let load: LoadOptions;
  let start: () => RunningLoad;
  try {
    const { url, rate, durationMs, connections, method, headers, host, body, http2, streams, grpc } = options;
    const target = grpc === null ? parseUrl(url) : methodUrl(parseUrl(url), grpc.method);
    load = {
      url: target.href,
      rate,
      durationMs,
      connections,
      ...(method === null ? {} : { method }),
      headers: { ...Object.fromEntries(headers), ...(host === null ? {} : { host }) },
      body: grpc !== null ? await grpcBody(grpc) : body === null ? null : await readBody(body),
    };
    const wanted = load;
    start = http2
      ? () => driveHttp2Load({ ...wanted, streams, grpc: grpc !== null })
      : () => driveLoad(wanted);
    await reach(target);
  } catch (error) {
    return fail((error as Error).message);
  }
  let figures: LoadFigures;
  try {
    figures = await run(start, load.durationMs);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  if (options.output === 'json')
    process.stdout.write(`${JSON.stringify(loadJson(figures, load), null, 2)}\n`);
  else process.stdout.write(loadText(figures, load.url, load.rate));
  if (figures.gaveUp) return fail(`${load.url} stopped answering; ended early`);
  return figures.latency.count > 0 ? exitOk : fail(`${load.url} answered nothing`);
}

/**
 * SIGINT or SIGTERM ends the run early, and what was measured is still shown; a second one ends the process.
 */
async function run(start: () => RunningLoad, durationMs: number): Promise<LoadFigures> {
  const load = start();
  const onSignal = (): void => load.stop();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const endBar = process.stderr.isTTY ? showBar(load, durationMs) : undefined;
  try {
    return await load.done;
  } finally {
    endBar?.();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function showBar(load: RunningLoad, durationMs: number): () => void {
  const beginMs = performance.now();
  const draw = (): void => {
    process.stderr.write(eraseLine + barText(performance.now() - beginMs, durationMs, load.answers()));
  };
  const timer = setInterval(draw, barIntervalMs);
  draw();
  return () => {
    clearInterval(timer);
    process.stderr.write(eraseLine);
  };
}

function parseUrl(text: string): URL {
  // `localhost:8080` parses as a URL whose scheme is `localhost:`.
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || defaultPorts[url.protocol] === undefined) {
    throw new Error(`not an http or https URL: ${text}`);
  }
  return url;
}

/** A path of the URL is a prefix of that of the method. */
function methodUrl(url: URL, method: string): URL {
  return new URL(`${url.pathname.replace(/\/$/, '')}/${method}`, url);
}

async function grpcBody(words: GrpcWords): Promise<LoadOptions['body']> {
  return { bytes: await grpcCallBody(words), contentType: 'application/grpc' };
}

async function readBody(path: string): Promise<LoadOptions['body']> {
  try {
    const contentType = path.endsWith('.json') ? 'application/json' : 'application/octet-stream';
    return { bytes: await readFile(path), contentType };
  } catch (error) {
    throw new Error(`can't read the body file: ${(error as Error).message}`);
  }
}

/** autocannon would try again without end and report only numbers, so one connection is tried first. */
function reach(url: URL): Promise<void> {
  const port = url.port === '' ? defaultPorts[url.protocol] : Number(url.port);
  // An IPv6 address stands in brackets in a URL, and without them in a socket's options.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, timeout: connectTimeoutMs });
    const refuse = (why: string): void => {
      socket.destroy();
      reject(new Error(`can't reach ${url.origin}: ${why}`));
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => refuse(`no connection after ${connectTimeoutMs} ms`));
    // Where a name has several addresses, the message of the whole is empty and the cause is in its parts.
    socket.once('error', (error: Error & { code?: string; errors?: Error[] }) =>
      refuse(error.errors?.map((one) => one.message).join(', ') || error.message || String(error.code)),
    );
  });
}

function fail(why: string): number {
  process.stderr.write(`umbra load: ${why}\n`);
  return exitFailure;
}
