/**
 * A Debian with systemd as its first process: this machine's root, with a layer of its own above it and a
 * network of its own. What happens there is gone with the test.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing, type Ran, run, runWell } from './command.js';
import { Output, until } from './umbra.js';

/**
 * `$1` is a folder to mount on, `$2` one that is seen as `/mnt`. Units of this machine are not started. The
 * container ends with the test, also where that is killed.
 */
const script = `set -e
mount -t tmpfs tmpfs "$1" && cd "$1" && mkdir upper work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
echo 0123456789abcdef0123456789abcdef > root/etc/machine-id
exec setpriv --pdeathsig TERM systemd-nspawn --quiet --directory="$1/root" --register=no --keep-unit --console=pipe \\
  --private-network --bind="$2:/mnt" --boot systemd.unit=basic.target`;

/** Why nothing can be booted here, or false. */
export const withoutBoot =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'only root on Linux can boot a container'
    : !existsSync('/lib/systemd/systemd')
      ? 'systemd is not installed'
      : missing('systemd-nspawn') || missing('nsenter');

export class BootedSystem {
  readonly #nspawn: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #directory: string;
  readonly #init: string;

  private constructor(nspawn: ChildProcess, ended: Promise<void>, directory: string, init: string) {
    this.#nspawn = nspawn;
    this.#ended = ended;
    this.#directory = directory;
    this.#init = init;
  }

  /** Resolves with why it can't be booted here, where it can't. */
  static async boot(mnt: string): Promise<BootedSystem | string> {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-booted-'));
    const nspawn = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', directory, mnt]);
    const output = new Output(nspawn);
    let over = false;
    const ended = new Promise<void>((resolve) => nspawn.once('close', () => resolve()));
    void ended.then(() => {
      over = true;
    });
    const init = await until(() => over || initOf(nspawn.pid!), 'systemd begins');
    if (init === true) {
      rmdirSync(directory);
      return `systemd can't be booted: ${output.err.trim()}`;
    }
    const system = new BootedSystem(nspawn, ended, directory, init);
    const isUp = async () => (await system.run('systemctl', 'is-active', 'basic.target')).code === 0;
    await until(isUp, 'systemd has booted');
    return system;
  }

  /** Words before a command that runs there. */
  get inside(): readonly string[] {
    return ['nsenter', `--target=${this.#init}`, '--all', 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
  }

  run(...words: string[]): Promise<Ran> {
    return run(this.inside[0]!, [...this.inside.slice(1), ...words]);
  }

  /** `run`, and rejects with what it wrote if it fails; what it wrote otherwise. */
  async runWell(...words: string[]): Promise<string> {
    return (await runWell(this.inside[0]!, [...this.inside.slice(1), ...words])).out.toString().trim();
  }

  /** One property of a unit. */
  property(unit: string, name: string): Promise<string> {
    return this.runWell('systemctl', 'show', unit, `--property=${name}`, '--value');
  }

  /** Paths written since the boot that match a pattern of find(1). A deleted file is a character device. */
  async found(pattern: string): Promise<readonly string[]> {
    const upper = join(this.#directory, 'upper');
    const words = [
      `--target=${this.#nspawn.pid}`,
      '--mount',
      'find',
      upper,
      '-mindepth',
      '1',
      '-name',
      pattern,
    ];
    const { out } = await runWell('nsenter', [...words, '!', '-type', 'c']);
    return out
      .toString()
      .split('\n')
      .filter((path) => path !== '');
  }

  async close(): Promise<void> {
    this.#nspawn.kill('SIGKILL');
    // The container ends with its first process.
    try {
      process.kill(Number(this.#init), 'SIGKILL');
    } catch {
      // It has ended.
    }
    await this.#ended;
    rmdirSync(this.#directory);
  }
}

/** The first process of the container that `nspawn` runs, once it is systemd. */
function initOf(nspawn: number): string | null {
  const children = readOrNothing(`/proc/${nspawn}/task/${nspawn}/children`).trim().split(' ');
  const isSystemd = (pid: string): boolean => readOrNothing(`/proc/${pid}/comm`) === 'systemd\n';
  return children.find(isSystemd) ?? null;
}

/** A process may end between the listing and the reading. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
