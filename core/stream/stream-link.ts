/**
 * What a stream's sink asks of a connection to NATS. The sink's thread alone; nothing here waits or throws.
 */
import type { StreamMessage } from './message.js';

/** The server's answer to one message: it is stored, there is no room, or it is refused. */
export type StreamAnswer = 'stored' | 'full' | 'refused';

export interface StreamLink {
  /** The largest message with its headers that the server takes, as it last announced, or its usual value. */
  readonly messageBytesMax: number;
  /**
   * Messages that the slowest group of shadows has not done yet, as of some seconds ago; null where it is not
   * known.
   */
  readonly lag: number | null;
  /**
   * Between `onReady` and `onDown`. `id` names the message for the server, which stores it once; `token`
   * names its answer.
   */
  publish(id: string, token: string, message: StreamMessage): void;
  close(): Promise<void>;
}

export interface StreamLinkEvents {
  /** There is a connection, and a stream. What was published before and not answered may be lost. */
  onReady(): void;
  /** Called once until it is ready again. */
  onDown(why: string): void;
  /** The stream was full, and has room for so many bytes now. */
  onRoom(bytes: number): void;
  /** `why` is empty but for `refused`. */
  onAnswer(token: string, answer: StreamAnswer, why: string): void;
}
