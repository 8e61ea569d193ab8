/** What makes the load: wrk where it is installed, else autocannon in a process of its own. */
import { beside, Child } from './child.js';
import { isInstalled } from './placement.js';
import { parseWrk, wrkArguments, wrkScript } from './wrk.js';

/** One closed-loop run: every connection sends its next request when it has the answer to the last. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Failed connections, timeouts and answers that are not 2xx or 3xx. */
  readonly errors: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** NaN where the generator does not report it. */
  readonly p999Us: number;
}

export interface Generator {
  readonly name: string;
  /**
   * `bodyBytes`: each request is a POST of so many; 0: a GET. `closing`: each request asks for the end of its
   * connection. Certificates are not verified.
   */
  run(
    url: string,
    connections: number,
    seconds: number,
    bodyBytes?: number,
    closing?: boolean,
  ): Promise<LoadResult>;
}

export function chooseGenerator(cpus: string | null): Generator {
  return isInstalled('wrk') ? wrkGenerator(cpus) : autocannonGenerator(cpus);
}

function wrkGenerator(cpus: string | null): Generator {
  return {
    name: 'wrk',
    run: async (url, connections, seconds, bodyBytes = 0, closing = false) => {
      const args = wrkArguments(url, connections, seconds, wrkScript(bodyBytes, closing));
      return parseWrk(await new Child('wrk', args, { cpus }).output());
    },
  };
}

function autocannonGenerator(cpus: string | null): Generator {
  const file = beside('autocannon.js', import.meta.url);
  return {
    name: 'autocannon (wrk is not installed; autocannon itself limits what can be reached)',
    run: async (url, connections, seconds, bodyBytes = 0, closing = false) => {
      if (closing) throw new Error('connections that end need wrk, which is not installed');
      const args = [file, url, String(connections), String(seconds), String(bodyBytes)];
      return JSON.parse(await new Child(process.execPath, args, { cpus }).output()) as LoadResult;
    },
  };
}
