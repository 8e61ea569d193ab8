/** Listening sockets that systemd opened and passed on: `LISTEN_FDS`, as sd_listen_fds(3) has it. */
import { readFileSync, readlinkSync } from 'node:fs';
import type { Address, ListenerPlan } from '../../core/plan.js';
import { addressName } from './listen-address.js';

export interface InheritedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of its unit, by default the unit's name; null where none was given. */
  readonly name: string | null;
  readonly address: Address;
}

/** SD_LISTEN_FDS_START. */
const firstFd = 3;
const variables = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'] as const;

/**
 * What was passed to this process, `pid`; the variables that say so are taken out of `env`, for they are not
 * meant for children. None where they are meant for another process. Throws an Error of one line when they
 * can't be true.
 */
export function takeInherited(env: NodeJS.ProcessEnv, pid: number): readonly InheritedSocket[] {
  const { LISTEN_PID: meant, LISTEN_FDS: count, LISTEN_FDNAMES: names } = env;
  for (const variable of variables) delete env[variable];
  if (meant === undefined || count === undefined || meant !== String(pid)) return [];
  if (process.platform !== 'linux')
    throw new Error('LISTEN_FDS: sockets are passed on by systemd, on Linux alone');
  if (!/^\d{1,5}$/.test(count))
    throw new Error(`LISTEN_FDS is not a number of sockets: ${JSON.stringify(count)}`);
  const given = names === undefined ? null : names.split(':');
  if (given !== null && given.length !== Number(count))
    throw new Error(`LISTEN_FDNAMES has ${given.length} names for the ${count} sockets of LISTEN_FDS`);
  return Array.from({ length: Number(count) }, (_, index) => {
    const fd = firstFd + index;
    const name = given?.[index] || null;
    return { fd, name, address: boundAddress(fd, nameOf(fd, name)) };
  });
}

/**
 * By listener: the socket that was passed for its address, or null, and it binds for itself. Throws an Error
 * of one line for a socket that is not a listener's: clients would connect to it, and nobody would answer.
 */
export function matchListeners(
  listeners: readonly Pick<ListenerPlan, 'address'>[],
  sockets: readonly InheritedSocket[],
): readonly (InheritedSocket | null)[] {
  const left = new Set(sockets);
  const matched = listeners.map(({ address }) => {
    const socket = [...left].find((one) => isFor(one.address, address)) ?? null;
    if (socket !== null) left.delete(socket);
    return socket;
  });
  for (const { fd, name, address } of left)
    throw new Error(
      `LISTEN_FDS passes ${addressName(address)} (${nameOf(fd, name)}), which is the address of no listener, or of one that has its socket already`,
    );
  return matched;
}

function nameOf(fd: number, name: string | null): string {
  return name === null ? `descriptor ${fd}` : `descriptor ${fd}, ${name}`;
}

/** A socket on `[::]`, which is what `ListenStream=8080` opens, takes IPv4 too. */
function isFor(socket: Address, listener: Address): boolean {
  if (socket.kind === 'unix' || listener.kind === 'unix')
    return socket.kind === 'unix' && listener.kind === 'unix' && socket.path === listener.path;
  if (socket.port !== listener.port) return false;
  const host = plainHost(listener.host);
  if (host === 'localhost') return socket.host === '127.0.0.1' || socket.host === '::1';
  return socket.host === host || (socket.host === '::' && host === '0.0.0.0');
}

/** An IPv6 address in its one canonical way of writing. */
function plainHost(host: string): string {
  return host.includes(':') ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host.toLowerCase();
}

/** What it is bound to, from the kernel's tables. Node can ask a descriptor for it only by taking it over. */
function boundAddress(fd: number, name: string): Address {
  let link = '';
  try {
    link = readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    throw new Error(`LISTEN_FDS names a socket that is not there: ${name}`);
  }
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
  const address = inode === undefined ? null : (tcpAddress(inode) ?? unixAddress(inode));
  if (address !== null) return address;
  throw new Error(`LISTEN_FDS passes what is no listening stream socket of this network namespace: ${name}`);
}

const listening = '0A';

function tcpAddress(inode: string): Address | null {
  for (const [table, read] of [
    ['tcp', ipv4],
    ['tcp6', ipv6],
  ] as const) {
    for (const line of rowsOf(table)) {
      // sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode
      const [, local, , state, , , , , , its] = line.trim().split(/\s+/);
      if (its !== inode || state !== listening) continue;
      const [host, port] = local.split(':');
      return { kind: 'tcp', host: read(host), port: Number.parseInt(port, 16) };
    }
  }
  return null;
}

/** SO_ACCEPTCON. */
const accepts = '00010000';
const streamType = '0001';

function unixAddress(inode: string): Address | null {
  for (const line of rowsOf('unix')) {
    // Num RefCount Protocol Flags Type St Inode Path
    const row = /^\S+: \S+ \S+ (\S+) (\S+) \S+ +(\d+) (.+)$/.exec(line);
    if (row === null || row[3] !== inode || row[1] !== accepts || row[2] !== streamType) continue;
    return { kind: 'unix', path: row[4] };
  }
  return null;
}

function rowsOf(table: string): string[] {
  try {
    return readFileSync(`/proc/self/net/${table}`, 'utf8').split('\n').slice(1, -1);
  } catch {
    // A kernel without IPv6 has no tcp6.
    return [];
  }
}

/**
 * Each word of 32 bits is in the machine's order, which is little-endian wherever Node runs on Linux but for
 * s390x.
 */
function bytesOf(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  return littleEndian ? bytes.swap32() : bytes;
}
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function ipv4(hex: string): string {
  return bytesOf(hex).join('.');
}

function ipv6(hex: string): string {
  const groups = bytesOf(hex).toString('hex').match(/.{4}/g)!;
  return plainHost(groups.join(':'));
}
