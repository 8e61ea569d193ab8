/** A real acceptor and a real node engine on one thread. */
import net from 'node:net';
import { nowUs } from '../../../../core/clock.js';
import type { RequestHead } from '../../../../core/http/message.js';
import { guardNames } from '../../../../core/http2/floods.js';
import type { ListenerLimits, ListenerPlan, Protocol } from '../../../../core/plan.js';
import type {
  ClientTimeout,
  RequestHandler,
  RequestSink,
  Responder,
} from '../../../../workers/downstream/downstream.js';
import { NodeAcceptor } from '../../../../workers/downstream/node/acceptor.js';
import { NodeDownstream } from '../../../../workers/downstream/node/engine.js';
import { NodeResources } from '../../../../workers/downstream/node/resources.js';
import { listenerPlan, oneCount } from '../../../support/listener.js';
import type { Test } from '../../../support/tap.js';
import { Client, loopback, Seen } from '../uws/rig.js';

export class NodeRig implements RequestHandler {
  readonly seen: Seen[] = [];
  readonly counts = {
    accepted: 0,
    closed: 0,
    refused: 0,
    turnedAway: 0,
    handshakesStarted: 0,
    handshakesDone: 0,
    handshakesFailed: 0,
    tunnelOpened: 0,
    tunnelClosed: 0,
    http2Opened: 0,
    http2Closed: 0,
    http2Requests: 0,
  };
  readonly guards: string[] = [];
  readonly timedOut: ClientTimeout[] = [];
  readonly acceptor: NodeAcceptor;
  readonly downstream: NodeDownstream;
  onSeen: (seen: Seen) => void;

  private constructor(
    acceptor: NodeAcceptor,
    listener: ListenerPlan,
    resources: NodeResources,
    onSeen: (seen: Seen) => void,
  ) {
    this.acceptor = acceptor;
    this.onSeen = onSeen;
    const count = (what: keyof NodeRig['counts']) => () => void this.counts[what]++;
    this.downstream = new NodeDownstream(
      listener,
      this,
      {
        accepted: count('accepted'),
        closed: count('closed'),
        turnedAway: count('turnedAway'),
        handshakeStarted: count('handshakesStarted'),
        handshakeEnded: (isSecure) => void this.counts[isSecure ? 'handshakesDone' : 'handshakesFailed']++,
        tunnelOpened: count('tunnelOpened'),
        tunnelClosed: count('tunnelClosed'),
        http2Opened: count('http2Opened'),
        http2Closed: count('http2Closed'),
        http2Request: count('http2Requests'),
        http2Guard: (guard) => void this.guards.push(guardNames[guard]),
        webSocketHeldChanged: () => {},
        webSocketGaveWay: () => {},
        refused: count('refused'),
        timedOut: (what) => void this.timedOut.push(what),
      },
      resources,
      oneCount(),
    );
  }

  static async start(
    t: Test,
    onSeen: (seen: Seen) => void,
    bounds: Partial<ListenerLimits> = {},
    tls: ListenerPlan['tls'] = null,
    protocols: readonly Protocol[] = ['http1', 'h2'],
    ticketKeys: Uint8Array | null = null,
  ): Promise<NodeRig> {
    const listener = listenerPlan({ address: loopback, engine: 'node', tls, protocols }, bounds);
    const acceptor = await NodeAcceptor.listen(listener);
    const resources = new NodeResources(nowUs, ticketKeys);
    const rig = new NodeRig(acceptor, listener, resources, onSeen);
    acceptor.addChild(0, rig.downstream.descriptor());
    await acceptor.settled();
    t.teardown(async () => {
      acceptor.close();
      await rig.downstream.leave();
    });
    return rig;
  }

  onRequest(head: RequestHead, responder: Responder): RequestSink {
    const seen = new Seen(head, responder);
    this.seen.push(seen);
    this.onSeen(seen);
    return seen;
  }

  connect(): Client {
    return new Client(net.connect({ port: this.acceptor.port, host: '127.0.0.1' }));
  }

  /** Resolves when `holds` does; it is asked after each turn of the loop. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise(setImmediate);
  }
}
