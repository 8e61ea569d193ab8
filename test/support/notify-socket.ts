/** The socket that systemd listens on for sd_notify(3). Python receives, since Node has no such sockets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing } from './command.js';
import { Output, until } from './umbra.js';

/** Closing the descriptors of a message lets a sender that waits for that (BARRIER=1) continue. */
const receiver = `
import json, os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print('[]', flush=True)
while True:
    text, fds, _, _ = socket.recv_fds(listener, 65536, 8)
    for fd in fds: os.close(fd)
    print(json.dumps(text.decode().strip().split('\\n')), flush=True)
`;

export const withoutNotify = missing('systemd-notify') || missing('python3');

export class NotifySocket {
  readonly path: string;
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #output: Output;

  private constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, 'notify');
    this.#child = spawn('python3', ['-c', receiver, this.path], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#output = new Output(this.#child);
  }

  static async listen(): Promise<NotifySocket> {
    const socket = new NotifySocket(mkdtempSync(join(tmpdir(), 'umbra-notify-')));
    await until(() => socket.#output.out !== '' || socket.#output.err !== '', 'Python listens');
    if (socket.#output.err !== '') throw new Error(socket.#output.err);
    return socket;
  }

  /** The messages so far: their assignments. */
  get messages(): readonly (readonly string[])[] {
    const lines = this.#output.out.split('\n').slice(1, -1);
    return lines.map((line) => JSON.parse(line) as string[]).filter((message) => message[0] !== 'BARRIER=1');
  }

  /** Resolves with the messages up to one that has this assignment, from the one at `from` on. */
  async received(pattern: RegExp, from = 0): Promise<readonly (readonly string[])[]> {
    const isIt = (message: readonly string[]): boolean => message.some((one) => pattern.test(one));
    return until(() => {
      const at = this.messages.findIndex((message, index) => index >= from && isIt(message));
      return at === -1 ? null : this.messages.slice(0, at + 1);
    }, `systemd receives ${pattern}`);
  }

  close(): void {
    this.#child.kill();
    rmSync(this.#directory, { recursive: true });
  }
}
