/**
 * A process: users of a service that is rolled out, at a fixed rate whatever the answers do. Arguments: port,
 * requests a second, users. Each request is of a user by chance, with the user's cookie; three in ten are
 * POSTs. Each message is answered with a ClientsReport.
 */
import { connect, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.js';

export interface ClientsReport {
  readonly asked: number;
  readonly answered: number;
  /** Answers of 500 that a version gave on purpose. */
  readonly onPurpose: number;
  /** GETs and POSTs that got another answer than 200, or none, by no purpose. */
  readonly failedGets: number;
  readonly failedPosts: number;
  /** Users that were answered by the new version and by the old one afterwards. */
  readonly wentBack: number;
  /** Requests that no connection was free for at the moment. */
  readonly waiting: number;
}

const [portText, rateText, usersText] = process.argv.slice(2);
const rate = Number(rateText);
const users = Number(usersText);
const connections = 256;
const postShare = 0.3;
const tickMs = 2;

let asked = 0;
let answered = 0;
let onPurpose = 0;
let failedGets = 0;
let failedPosts = 0;
const last = new Uint8Array(users);
const wentBack = new Set<number>();
const free: Caller[] = [];
let waiting = 0;

class Caller {
  readonly #socket: Socket;
  #reader = new AnswerReader();
  #heard = '';
  #user = -1;
  #isPost = false;

  constructor() {
    this.#socket = connect({ port: Number(portText), host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#isFree());
    this.#socket.on('data', (chunk) => {
      this.#heard += chunk.toString('latin1');
      if (this.#reader.read(chunk) > 0 && this.#user >= 0) this.#answered();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      if (this.#user >= 0) this.#failed();
      const at = free.indexOf(this);
      if (at >= 0) free.splice(at, 1);
      new Caller();
    });
  }

  send(): void {
    this.#user = Math.floor(Math.random() * users);
    this.#isPost = Math.random() < postShare;
    const fields = `host: reviews\r\ncookie: id=${this.#user}\r\n`;
    this.#socket.write(
      this.#isPost
        ? `POST /reviews HTTP/1.1\r\n${fields}content-length: 2\r\n\r\n{}`
        : `GET /reviews HTTP/1.1\r\n${fields}\r\n`,
    );
  }

  #answered(): void {
    answered++;
    const isFresh = this.#heard.includes('x-version: v2');
    if (this.#reader.status !== 200) {
      if (this.#heard.includes('x-on-purpose')) onPurpose++;
      else this.#failed();
    }
    if (last[this.#user] === 1 && !isFresh) wentBack.add(this.#user);
    last[this.#user] = isFresh ? 1 : 0;
    this.#heard = '';
    this.#user = -1;
    this.#isFree();
  }

  #failed(): void {
    if (this.#isPost) failedPosts++;
    else failedGets++;
  }

  #isFree(): void {
    if (waiting === 0) {
      free.push(this);
      return;
    }
    waiting--;
    this.send();
  }
}

process.on('message', () => {
  const report: ClientsReport = {
    asked,
    answered,
    onPurpose,
    failedGets,
    failedPosts,
    wentBack: wentBack.size,
    waiting,
  };
  process.send!(report);
});
process.on('disconnect', () => process.exit());

for (let i = 0; i < connections; i++) new Caller();
const beganMs = performance.now();
setInterval(() => {
  const due = Math.floor(((performance.now() - beganMs) * rate) / 1000);
  for (; asked < due; asked++) {
    const caller = free.pop();
    if (caller === undefined) waiting++;
    else caller.send();
  }
}, tickMs);
