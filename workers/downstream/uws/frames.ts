/**
 * What umbra uses of `ws`: its two halves for one side of a connection that is open already. They are
 * exported, but its type declarations know only the whole client and server.
 */
import * as ws from 'ws';

/** Makes masked frames. Writes to `socket` before each call returns, for nothing is compressed. */
export interface FrameSender {
  send(
    message: Buffer,
    options: { readonly binary: boolean; readonly fin: true; readonly compress: false; readonly mask: true },
  ): void;
  pong(data: Buffer, mask: true): void;
  close(code: number | undefined, reason: Buffer, mask: true): void;
}

/** Where frames go, part by part. */
export interface FrameSocket {
  cork(): void;
  uncork(): void;
  write(part: Buffer, written?: () => void): void;
}

/** Takes bytes, cut anywhere, and reports messages before `write` returns. */
export interface FrameReceiver {
  write(bytes: Buffer): boolean;
  on(event: 'message', listener: (message: Buffer, isBinary: boolean) => void): this;
  on(event: 'ping', listener: (data: Buffer) => void): this;
  /** A close frame; 1005 where it has no code. */
  on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
  on(event: 'error', listener: (error: Error & { readonly code: string }) => void): this;
}

export const { Receiver, Sender } = ws as unknown as {
  readonly Receiver: new (options: {
    readonly isServer: boolean;
    readonly maxPayload: number;
  }) => FrameReceiver;
  readonly Sender: new (socket: FrameSocket) => FrameSender;
};
