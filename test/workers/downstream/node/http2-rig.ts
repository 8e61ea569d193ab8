/** A node engine that a client of frames is connected to, and responses to give it. */

import { decideFraming } from '../../../../core/http/framing.js';
import { ResponseHead } from '../../../../core/http/response-head.js';
import { scanHead } from '../../../../core/http/response-head-scanner.js';
import type { ListenerLimits } from '../../../../core/plan.js';
import { frame } from '../../../core/http2/session-side.js';
import { RawHttp2 } from '../../../support/raw-http2.js';
import type { Test } from '../../../support/tap.js';
import type { Seen } from '../uws/rig.js';
import { NodeRig } from './rig.js';

export const answered = (seen: Seen): void => seen.responder.answer(200, `${seen.method} ${seen.target}`);
export const waits = (): void => {};
export const data = (stream: number, text: string, ends = false): Buffer =>
  frame(0, ends ? 1 : 0, stream, Buffer.from(text));

/** A head as an upstream of HTTP/1.1 sends it. */
export function headOf(lines: string, toHead = false): ResponseHead {
  const bytes = Buffer.from(`HTTP/1.1 ${lines}\r\n\r\n`, 'latin1');
  const head = new ResponseHead();
  head.begin(bytes, 0);
  scanHead(head, bytes.length);
  decideFraming(head, toHead);
  return head;
}

export async function serve(
  t: Test,
  onSeen: (seen: Seen) => void,
  bounds: Partial<ListenerLimits> = {},
): Promise<{ rig: NodeRig; client: RawHttp2 }> {
  const rig = await NodeRig.start(t, onSeen, bounds);
  const client = await RawHttp2.connect(rig.acceptor.port);
  t.teardown(() => client.socket.destroy());
  return { rig, client };
}

/** The connection is gone, and nothing of it is left in the counts. */
export async function leavesNothing(rig: NodeRig): Promise<void> {
  await rig.until(() => rig.downstream.connections() === 0);
  await rig.until(() => rig.downstream.active() === 0);
  await rig.until(() => rig.counts.http2Opened === rig.counts.http2Closed);
}
