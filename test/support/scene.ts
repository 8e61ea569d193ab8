/**
 * A real umbra with many routes under load, for pictures, checks and timings of the live page: each route
 * has a primary and shadows of its own, which are served by a few origins. Some shadows are in trouble.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Load } from './load.js';
import { freePort } from './ports.js';
import { type ConfigWords, UmbraProcess } from './umbra.js';

const services = [
  ...['accounts', 'cart', 'catalog', 'checkout', 'images', 'mail'],
  ...['prices', 'ratings', 'reviews', 'search', 'sessions', 'stock'],
];
const regions = ['', '-eu', '-us', '-asia', '-africa', '-oceania', '-north', '-south', '-east'];

const itemsMax = 9;

export interface SceneOptions {
  readonly routes: number;
  /** Shadows of each mirrored route. */
  readonly shadows?: number;
  /** Every route with a place that this divides has mirrors; 1 for all. */
  readonly mirroredEvery?: number;
  /** Some shadows fail; false where it is left out. */
  readonly trouble?: boolean;
  readonly connections?: number;
  /** Further keys of the mirrors. */
  readonly mirror?: object;
}

/** What a shadow does that is in trouble, by the place of its route among those that are mirrored. */
const faults = ['dead', 'errors', 'differs'] as const;
type Behaviour = 'v1' | 'v2' | (typeof faults)[number];

export class Scene {
  readonly umbra: UmbraProcess;
  readonly load: Load;
  readonly #servers: readonly Server[];

  private constructor(umbra: UmbraProcess, load: Load, servers: readonly Server[]) {
    this.umbra = umbra;
    this.load = load;
    this.#servers = servers;
  }

  /** Resolves when umbra serves and the load has begun. */
  static async start(options: SceneOptions): Promise<Scene> {
    const { routes, trouble = false, connections = 8 } = options;
    const behaviours: readonly Behaviour[] = ['v1', 'v2', 'errors', 'differs'];
    const servers = await Promise.all(behaviours.map(serve));
    const ports = new Map<Behaviour, number>(
      behaviours.map((name, i) => [name, (servers[i].address() as AddressInfo).port]),
    );
    ports.set('dead', await freePort());
    const names = Array.from({ length: routes }, (_, i) => routeName(i));
    const umbra = await UmbraProcess.start(configOf(names, options, ports, trouble));
    let turn = 0;
    const target = () => `/${names[turn++ % names.length]}/${Math.floor(Math.random() * itemsMax)}`;
    const load = new Load(umbra.port, connections, target);
    return new Scene(umbra, load, servers);
  }

  #isStopped = false;

  /** Does nothing the second time. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.load.stop();
    await this.umbra.stop();
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

function routeName(i: number): string {
  return `${services[i % services.length]}${regions[Math.floor(i / services.length) % regions.length]}`;
}

function configOf(
  names: readonly string[],
  { shadows = 1, mirroredEvery = 1, mirror = {} }: SceneOptions,
  ports: ReadonlyMap<Behaviour, number>,
  trouble: boolean,
): ConfigWords {
  const versions: Record<string, unknown> = {};
  const add = (name: string, behaviour: Behaviour): string => {
    versions[name] = { endpoints: `http://127.0.0.1:${ports.get(behaviour)}` };
    return name;
  };
  let mirrored = 0;
  const routes = names.map((name, i) => {
    const primary = add(`${name}-v1`, 'v1');
    const match = { path: { prefix: `/${name}/` } };
    if (i % mirroredEvery !== 0) return { name, match, primary };
    const place = mirrored++;
    const mirrors = Array.from({ length: shadows }, (_, k) => {
      const isFaulty = trouble && k === 0 && place % 4 === 1;
      const second = k === 1 && place % 6 === 0 ? 'differs' : 'v2';
      const behaviour = isFaulty ? faults[((place - 1) / 4) % faults.length] : second;
      const to = add(`${name}-v${k + 2}`, behaviour);
      return { to, percent: k === 0 ? 100 : 50, timeout: '1s', ...mirror };
    });
    return { name, match, primary, mirrors };
  });
  return {
    listen: [{ address: '127.0.0.1:0', engine: 'node' }],
    admin: { address: '127.0.0.1:0' },
    threads: { proxy: 1, shadow: 1 },
    versions,
    routes,
  };
}

const waitMs: Readonly<Record<Behaviour, number>> = {
  v1: 3,
  v2: 3,
  errors: 2,
  differs: 8,
  dead: 0,
};

async function serve(behaviour: Behaviour): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => setTimeout(() => answer(behaviour, request, response), waitMs[behaviour]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return server;
}

/** Every third answer of `errors` is a 503, and `differs` adds a field. */
function answer(behaviour: Behaviour, { url = '' }: IncomingMessage, response: ServerResponse): void {
  const id = Number(url.slice(url.lastIndexOf('/') + 1));
  if (behaviour === 'errors' && id % 3 === 0) {
    response.writeHead(503, { 'content-length': 0 }).end();
    return;
  }
  const added = behaviour === 'differs' ? { stars: id % 5 } : {};
  const body = JSON.stringify({ id, text: 'The middle is slow. The end is worth it.', ...added });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}
