/** The sending thread's end of a recording that another thread reads. */
import { Worker } from 'node:worker_threads';
import type { SkippedRecord } from '../../core/recording/recorded.js';
import { type ReadyRequest, RequestUnpacker } from '../../core/replay/packed.js';
import type { PlayerSource } from '../../core/replay/player.js';
import { entryFile } from '../protocol/entry.js';
import { blocksAhead, type FromReader, type ReadJob, type ToReader } from './reading.js';

export interface SourceEvents {
  /** A request can be read, or the recording has ended. */
  onMore(): void;
  /** The files are still being read for the order of their requests. */
  onProgress(): void;
  onSkipped(path: string, skipped: SkippedRecord): void;
  onError(error: Error): void;
}

export class ReplaySource implements PlayerSource {
  readonly #worker: Worker;
  readonly #events: SourceEvents;
  readonly #blocks: RequestUnpacker[] = [];
  #readerEnded = false;
  /** The blocks that are read ahead have come, so the replay may begin. */
  #begun = false;
  /** How much of the files was read for the order of their requests, from 0 to 1. */
  indexedShare = 0;
  /** How many requests one loop plays; 0 until the files were read. */
  requests = 0;

  constructor(job: ReadJob, events: SourceEvents) {
    this.#events = events;
    this.#worker = new Worker(entryFile('replay/reader'), { name: 'reader', workerData: job });
    this.#worker.on('message', (message: FromReader) => this.#take(message));
    this.#worker.on('error', (error) => events.onError(error as Error));
    for (let i = 0; i < blocksAhead; i++) this.#ask();
  }

  get ended(): boolean {
    return this.#readerEnded && this.#blocks.length === 0;
  }

  next(): ReadyRequest | null {
    if (!this.#begun || this.#blocks.length === 0) return null;
    const [block] = this.#blocks;
    const request = block.next();
    if (block.left === 0) {
      this.#blocks.shift();
      this.#ask();
    }
    return request;
  }

  /** Discards what was read ahead. */
  async close(): Promise<void> {
    this.#blocks.length = 0;
    await this.#worker.terminate();
  }

  #take(message: FromReader): void {
    switch (message.type) {
      case 'block':
        this.#blocks.push(new RequestUnpacker(message.block, message.count));
        break;
      case 'indexing':
        this.indexedShare = message.share;
        this.#events.onProgress();
        return;
      case 'indexed':
        this.indexedShare = 1;
        this.requests = message.requests;
        return;
      case 'skipped':
        this.#events.onSkipped(message.path, message);
        return;
      case 'ended':
        this.#readerEnded = true;
        break;
    }
    this.#begun ||= this.#readerEnded || this.#blocks.length >= blocksAhead;
    if (this.#begun) this.#events.onMore();
  }

  #ask(): void {
    if (!this.#readerEnded) this.#worker.postMessage('more' satisfies ToReader);
  }
}
