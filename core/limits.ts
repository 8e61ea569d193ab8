/**
 * Every bound in umbra, with its default and the counter that moves when it is reached. Nothing in the data
 * path may grow past a number that is not on this page. The file is long because it is that page.
 */
export const limits = {
  /** Bytes of a request head unless a listener says otherwise (`head.max`). Reached: 431. */
  requestHeadBytes: 16 * 1024,
  /** The largest `head.max`. Reached: a configuration error. */
  requestHeadBytesMax: 256 * 1024,
  /**
   * Connections that wait to be accepted on one socket of the node engine, where `net.core.somaxconn` allows
   * as many. Reached: the kernel lets clients try again.
   */
  acceptQueue: 4096,
  /** Bytes of a method. Longer: 501. */
  methodBytes: 256,
  /** Bytes of a request target on the node engine. Reached: 414. */
  requestTargetBytes: 8 * 1024,
  /** Empty lines before a request on the node engine. More: 400. */
  emptyLines: 16,
  /** Field lines in a request head on the node engine. Reached: 431. */
  requestFields: 256,
  /** Instructions of one regular expression. Reached: a configuration error. */
  regexInstructions: 2000,
  /**
   * States that the matcher of one expression keeps on a thread. Reached: they are made again as they are
   * met.
   */
  regexStates: 1000,
  /** Commands in one value of a header edit. Reached: a configuration error. */
  formatCommands: 16,
  /** Bytes of an upstream's response head. Reached: failure `protocol`, 502. */
  responseHeadBytes: 64 * 1024,
  /** Field lines in a response head. Reached: failure `protocol`, 502. */
  responseFields: 512,
  /**
   * Options in the Connection fields of a response head, `close` and `keep-alive` aside. Reached: failure
   * `protocol`, 502.
   */
  connectionOptions: 64,
  /** Interim (1xx) responses before a final one. Reached: failure `protocol`, 502. */
  interimResponses: 16,
  /** Bytes of one chunk-size line with its extensions. Reached: failure `protocol`. */
  chunkLineBytes: 4 * 1024,
  /** Bytes of a trailer section. Reached: failure `protocol`. */
  trailerBytes: 16 * 1024,

  /** One read from an upstream socket; one such buffer per thread, shared by its connections. */
  readBufferBytes: 64 * 1024,
  /** The same for a plain connection that may speak HTTP/2, whose read brings pieces of several bodies. */
  http2ReadBytes: 256 * 1024,
  /**
   * The share of `connections.max` from which on each new connection is counted, as a warning
   * (`umbra_upstream_connections_high_total`).
   */
  connectionsHigh: 0.8,
  /**
   * How long before the end that a version announces (`Keep-Alive: timeout`) an idle connection is closed, in
   * milliseconds.
   */
  keepAliveMarginMs: 1000,
  /**
   * How long a connection may have been idle, without such an announcement, to get a request that is not
   * idempotent, in milliseconds. Longer: the request gets a new connection.
   */
  freshConnectionMs: 1000,
  /**
   * Request bytes kept so that a request that died on a reused connection can be sent once more. Past it: no
   * retry, `reset`.
   */
  replayBytes: 16 * 1024,
  /**
   * Request-body bytes held for one exchange while its upstream connects or does not read. Past it: failure
   * `overloaded`.
   */
  heldBodyBytes: 64 * 1024 * 1024,
  /** Bytes of a piece of a body from which on it is written past the socket's queue while its turn lasts. */
  directWriteBytes: 64 * 1024,
  /** Bytes of a piece of a body of known length from which on it goes to the kernel without a copy. */
  passedBytes: 8 * 1024,
  /**
   * One block of request bytes on its way to an upstream socket; a thread's blocks are shared by its
   * connections.
   */
  writeBlockBytes: 64 * 1024,
  /** Blocks that a thread keeps for the next burst when nothing is held. */
  spareWriteBlocks: 32,
  /**
   * Request bytes that one thread holds for upstreams that connect or read slowly. Past it: failure
   * `overloaded`.
   */
  upstreamHeldBytes: 256 * 1024 * 1024,
  /** Response bytes that one client's connection may hold before its upstream is paused. */
  downstreamBufferBytes: 256 * 1024,
  /**
   * Client connections of one listener over all threads, unless it says otherwise (`connections.max`).
   * Reached: a further one is closed at once, `umbra_downstream_connections_refused_total`.
   */
  downstreamConnections: 16 * 1024,
  /**
   * What a client's times may be set to, in seconds: uWS counts no further. Reached: a configuration error.
   */
  downstreamSecondsMax: 900,
  /**
   * Networks in a listener's `trusted`, and addresses of one X-Forwarded-For that are looked at. Past it: the
   * last one looked at is the client.
   */
  trustedNetworks: 256,
  forwardedAddresses: 64,
  /**
   * Bytes of the next requests that a client has sent before its answer (pipelining), on the node engine.
   * Past it: not read until then.
   */
  pipelinedBytes: 64 * 1024,
  /**
   * After the last response, how long a client may take to close its side, in milliseconds. Reached: the
   * connection is closed.
   */
  lingerMs: 2000,
  /**
   * Bytes of an answered request that are thrown away meanwhile, on the uws engine. Past it: the connection
   * is closed.
   */
  lingerBytes: 64 * 1024 * 1024,
  /**
   * How long after the FIN of a client that waits for its response the first byte of it is sent ahead, to
   * find out whether the client is still there, in milliseconds; doubled for each further one. On the node
   * engine.
   */
  halfCloseProbeMs: 200,
  /**
   * HTTP/2: our windows, which bound the body bytes that a peer may send before we return them, per stream
   * and per connection. Exceeded: FLOW_CONTROL_ERROR, guard `window`.
   */
  http2StreamWindowBytes: 256 * 1024,
  http2ConnectionWindowBytes: 1024 * 1024,
  /**
   * HTTP/2: requests at once on one connection to a version, unless it says otherwise (`streams.max`).
   * Reached: another connection.
   */
  upstreamStreams: 128,
  /**
   * HTTP/2 to versions: how long an endpoint may take to acknowledge our SETTINGS, in milliseconds.
   * Reached: the connection is lost, `timeout`.
   */
  upstreamSettingsMs: 10_000,
  /**
   * HTTP/2 to versions: after this time without a byte of an endpoint that owes a response, it is sent a
   * PING, in milliseconds.
   */
  upstreamQuietMs: 20_000,
  /**
   * The same after a PING that was answered and nothing else: servers of gRPC allow one in five minutes.
   */
  upstreamQuietAgainMs: 310_000,
  /** How long the answer to a PING may take, in milliseconds. Reached: the connection is lost, `timeout`. */
  upstreamPongMs: 10_000,
  /**
   * How long an endpoint that did not take HTTP/2 counts as one of HTTP/1.1, with `protocol: auto`, in
   * milliseconds.
   */
  http1KnownMs: 600_000,
  /** HTTP/2: open streams per client connection. Exceeded: REFUSED_STREAM, guard `streams`. */
  http2Streams: 128,
  /** HTTP/2: open streams per connection to a version whose SETTINGS have not arrived. */
  http2StreamsAssumed: 100,
  /**
   * HTTP/2: bytes of the header table per direction of a connection. Larger size update: COMPRESSION_ERROR.
   */
  http2TableBytes: 4 * 1024,
  /**
   * HTTP/2: literals that a thread remembers decoded (a power of two), and the bytes of each as they were
   * received. What is beyond that is decoded each time.
   */
  http2Literals: 256,
  http2LiteralBytes: 128,
  /**
   * HTTP/2: frames of one header block, and its bytes unless twice the limit of the list is more. Exceeded:
   * the connection is closed, guard `block`.
   */
  http2BlockFrames: 64,
  http2BlockBytes: 64 * 1024,
  /**
   * HTTP/2: burst and rate of header lists above their limit, per connection. Exceeded: the connection is
   * closed, guard `lists`.
   */
  http2LargeLists: 100,
  http2LargeListsPerSecond: 10,
  /**
   * HTTP/2: burst and rate of streams that a client resets or makes us reset, per connection: each may have
   * caused a request to a version. Exceeded: the connection is closed, guard `resets`.
   */
  http2Resets: 200,
  http2ResetsPerSecond: 33,
  /**
   * HTTP/2: burst and rate of frames that transport no request or body (PING, SETTINGS, PRIORITY, GOAWAY,
   * WINDOW_UPDATE, empty DATA, unknown types), per connection. Exceeded: the connection is closed, guard
   * `frames`.
   */
  http2EmptyFrames: 4096,
  http2EmptyFramesPerSecond: 1000,
  /** HTTP/2: entries of one SETTINGS frame. Exceeded: the connection is closed, guard `settings`. */
  http2SettingsEntries: 32,
  /**
   * HTTP/2: streams reset by us whose late frames are ignored, per connection. A frame on an older one:
   * STREAM_CLOSED.
   */
  http2ResetStreams: 1024,
  /** HTTP/2: bytes that wait for a socket, above which bodies wait in their streams. */
  http2WriteAheadBytes: 128 * 1024,
  /** HTTP/2: bytes that wait for a socket. Exceeded: the connection is closed, guard `output`. */
  http2OutputBytes: 1024 * 1024,
  /**
   * HTTP/2: bytes that one thread holds for the sockets of slow clients. Past it: the connection that needs
   * more ends, guard `output`.
   */
  http2HeldBytes: 256 * 1024 * 1024,
  /**
   * HTTP/2: bytes of responses that wait in streams for windows and slow sockets, on one thread. Past it: a
   * stream that needs more is reset, guard `output`, unless its connection has no more waiting than one of
   * HTTP/1.1 may (`downstreamBufferBytes`).
   */
  http2WaitingBytes: 512 * 1024 * 1024,
  /** Bytes that a tunnel passes on from its version before it yields to other sockets of the thread. */
  tunnelTurnBytes: 64 * 1024,
  /**
   * Bytes of WebSocket messages of versions that a thread of the uws engine passes on in one turn. Past it
   * the others wait for the next turn.
   */
  webSocketTurnBytes: 1024 * 1024,
  /** One WebSocket message, on the uws engine. Larger: the connection is closed. */
  webSocketMessageBytes: 16 * 1024 * 1024,
  /**
   * Bytes of WebSocket messages held for one side that does not read, on the uws engine. Past it: the
   * connection is closed, `umbra_downstream_websockets_closed_total`.
   */
  webSocketHeldBytes: 32 * 1024 * 1024,
  /**
   * The same for all WebSockets of one listener on one thread. Past it: the connection that holds most is
   * closed, the same counter.
   */
  webSocketTotalBytes: 128 * 1024 * 1024,
  /**
   * A WebSocket client that does not even answer pings, in seconds, on the uws engine. Reached: the
   * connection is closed.
   */
  webSocketIdleSeconds: 120,
  /**
   * How long a primary may take to end a WebSocket that was closed, in milliseconds. Reached: its connection
   * is closed.
   */
  webSocketCloseMs: 2000,
  /**
   * Exchanges waiting for a connection, per version and thread, unless configured. Reached: failure
   * `overloaded`, 503, `umbra_upstream_queue_full_total`.
   */
  upstreamWaiters: 1024,
  /**
   * The share of a version's connections that requests hold whose bodies are not whole (uploads). Reached: a
   * further one waits for its client first, `umbra_upstream_waiting_uploads`.
   */
  uploadShare: 3 / 4,
  /**
   * Uploads of one thread to one version that wait so. Past it: the one that has waited longest for its
   * client fails `slow-client`, 408, `umbra_upstream_slow_uploads_total`.
   */
  waitingUploads: 1024,
  /**
   * While uploads wait that have more to send than is kept for them, those that have had a connection for at
   * least this time and bring fewer bytes a second are ended: `slow-client`, the same counter.
   */
  slowUploadBytesPerSecond: 1024,
  slowUploadGraceMs: 1000,
  /** How often they are looked for then, in milliseconds. */
  slowUploadSweepMs: 250,
  /** Addresses of one name that are used. More: the others are not, and a line in the log says so. */
  addressesPerName: 64,
  /**
   * Names of primaries, and of shadows, that are looked up at once. Further ones wait for their turn; none is
   * lost.
   */
  primaryLookups: 48,
  shadowLookups: 16,
  /**
   * How long one lookup may take, in milliseconds. Reached: it counts as failed in
   * `umbra_upstream_dns_lookups_total`.
   */
  lookupMs: 30_000,
  /**
   * Connections to NATS of one thread that wait for one lookup. Past it: a further one fails with `EAI_AGAIN`
   * and is tried again, `umbra_fleet_connected` and drop `stream-down` say so.
   */
  natsLookupWaiters: 16,
  /**
   * How long a start or a reload waits for names that are new, in milliseconds. Reached: it continues, and
   * requests to them fail `no-endpoint` until they resolve.
   */
  firstLookupMs: 2000,
  /** Bytes of a route's own answer (`respond.body`). Longer: a configuration error. */
  respondBytes: 64 * 1024,
  /**
   * Bytes of the header fields that a configuration gives one answer or response. More: a configuration
   * error.
   */
  configuredFieldBytes: 16 * 1024,
  /**
   * Bytes of the body of a request that a route answers itself. More: answered before it is whole, and the
   * connection is closed.
   */
  discardedBodyBytes: 64 * 1024,
  /** Bytes of a redirect's Location. Longer: 414. */
  locationBytes: 16 * 1024,
  /**
   * Requests that one thread delays on purpose at a time, and bytes of their bodies. Past it: not delayed,
   * `umbra_fault_overflows_total`.
   */
  delayedRequests: 1024,
  delayedBytes: 64 * 1024 * 1024,
  /** Bytes of one request's body kept for `retries`. Past it: the request is not sent again. */
  retryBodyBytes: 64 * 1024,
  /** The program of a hook and its arguments. Reached: a configuration error. */
  hookArguments: 32,
  /**
   * Hooks of rollouts that run at the same time. Reached: the hook is not run, which is logged and counted.
   */
  hooksAtOnce: 8,
  /** Bytes that are kept of what the program of a hook writes; the rest is left out of the log. */
  hookOutputBytes: 4096,
  /** Bytes of them that one thread keeps. Past it: not kept, `umbra_retry_overflows_total`. */
  retryHeldBytes: 64 * 1024 * 1024,
  /** Most `retries.attempts` of a route. */
  retries: 16,

  /**
   * Bytes of one ring; a frame may take an eighth of it. Full: drop `ring-full`; larger: drop
   * `frame-too-large`.
   */
  ringBytes: 4 * 1024 * 1024,
  /**
   * Bytes of frames that wait in one proxy thread for room in its rings. Past it: drop or failure
   * `ring-full`.
   */
  waitingBytes: 64 * 1024 * 1024,
  /** Copies whose beginning waits for room in one ring. Reached: drop `ring-full`. */
  waitingHeads: 1024,
  /**
   * How long a proxy thread that ends waits for room for these frames, in milliseconds. Reached: their copies
   * are aborted.
   */
  waitingMs: 1000,
  /**
   * Mirrored exchanges that one shadow thread has open from one proxy thread. Reached: drop `in-flight`.
   */
  openMirroredExchanges: 16 * 1024,
  /** Copies of one order key that one shadow thread has, waiting or under way. Reached: drop `order-full`. */
  orderedPerKey: 256,
  /** Copies in order that one shadow thread has, over all keys. Reached: drop `order-full`. */
  orderedCopies: 8 * 1024,
  /** Most requests on one pipelined connection that a configuration may ask for. */
  pipelining: 128,
  /** Results within the window before a breaker judges. */
  breakerResults: 10,
  /** Requests in a window below which a guard judges nothing, and errors below which they are none. */
  guardRequests: 100,
  guardErrors: 5,
  /** A rise of a p99 by less is never bad, in microseconds. */
  guardFloorUs: 1000,
  /** Windows that make a guard's base line. */
  guardBaseWindows: 60,
  /** Most that `compare.body.max` can be. A longer body is `not-comparable`. */
  comparedBodyBytes: 1024 * 1024,
  /**
   * Bytes of responses that one shadow thread holds until both of a pair are there. Reached:
   * `umbra_compare_unexamined_total{reason="memory"}`.
   */
  capturedBytes: 32 * 1024 * 1024,
  /**
   * Bytes of the ring of pairs between one shadow thread and the control thread. Full:
   * `umbra_compare_unexamined_total{reason="analysts-busy"}`.
   */
  pairRingBytes: 8 * 1024 * 1024,
  /** Bytes of one body that was decompressed. Past it: `not-comparable`, reason `decoded-too-large`. */
  decodedBodyBytes: 8 * 1024 * 1024,
  /** Nesting of a JSON body that is compared. Past it: `not-comparable`, reason `too-deep`. */
  jsonDepth: 256,
  /** Values in a JSON body that is compared. Past it: `not-comparable`, reason `too-many-values`. */
  jsonValues: 200_000,
  /** Nesting to which messages of Protocol Buffers without a known type are looked into. Past it: bytes. */
  protobufGuessDepth: 32,
  /** Bytes of a descriptor set. Larger: a configuration error. */
  descriptorBytes: 8 * 1024 * 1024,
  /** Services and files that are read by reflection. More: the types of that version are not used. */
  reflectedFiles: 4096,
  /** Values that comparing two documents may look at. Past it: `not-comparable`, reason `too-many-values`. */
  compareSteps: 4_000_000,
  /**
   * Cells of the table by which two lists are aligned. Past it: by position, and one difference of change
   * `length`.
   */
  alignedCells: 256 * 1024,
  /** Two lists are paired by likeness up to so many cells, and by so many features of an item. */
  likenessCells: 4096,
  likenessFeatures: 64,
  /** Words of a line that are compared one by one. Past it: the rest is one word. */
  lineWords: 400,
  /**
   * Differences of one pair that an analyst names. Past it: the pair is undecided, overflow
   * `pairDifferences`.
   */
  pairDifferences: 1024,
  /** Characters of a value, a path or a place that a sample shows. Past it: cut. */
  diffValueChars: 256,
  /**
   * How long an analyst may take for one task, in milliseconds. Reached: it is ended, and each pair is tried
   * alone; then `not-comparable`, reason `timeout`.
   */
  analystMs: 30_000,
  /** Pairs that one task of an analyst has, and bytes of responses with which it takes no more. */
  analystPairs: 64,
  analystPairBytes: 1024 * 1024,
  /** Analyst threads; each has one task at a time, and the rings of pairs are their queue. */
  analysts: 4,
  /** Megabytes of an analyst's heap. Reached: it is ended, `not-comparable`, reason `failed`. */
  analystHeapMb: 256,
  /**
   * Groups of differences of one mirror. Reached: overflow `diffGroups` in /api/diffs,
   * `umbra_compare_ungrouped_total`.
   */
  diffGroups: 1000,
  /** Samples of a group; a newer one takes the place of the oldest. */
  diffSamples: 4,
  /**
   * Distinct sets of groups that pairs of one mirror are counted by. Past it: a pair is undecided, overflow
   * `diffSets`.
   */
  diffSets: 4096,
  /** Groups in these sets, in all. Past it: the same. */
  diffSetGroups: 32 * 1024,
  /**
   * Pairs of one mirror that wait for their counterpart with the baseline. Past it: the oldest is in no
   * triple.
   */
  diffWaiting: 2048,
  /** Differences that these pairs may have in all. Past it: the oldest is in no triple. */
  diffWaitingHits: 256 * 1024,
  /** Endpoints of one mirror. Past it: `/**`, overflow `endpoints`. */
  endpoints: 256,
  /** Methods of the endpoints of one mirror. Past it: `OTHER`. */
  endpointMethods: 16,
  /** Endpoints of all mirrors whose latency and errors are counted. Past it: `/**` of their mirror. */
  countedEndpoints: 4096,
  /** Different words at one place of a path. More: the place is `*`. */
  endpointWords: 64,
  /** Segments of a path that make an endpoint, and characters of one; a longer one is `*`. */
  endpointSegments: 12,
  endpointSegmentChars: 64,
  /** Names at one place of a document, from which on they may be data. */
  foldedNames: 32,
  /** Names that are data in one path. Past it: they stay as they are. */
  foldedSteps: 8,
  /** Largest `recording.segment.size`. More: a configuration error. */
  segmentBytesMax: 4 * 1024 * 1024 * 1024,
  /**
   * Lines of header fields whose redacted form a sink's thread remembers, and the longest. Past it: they are
   * redacted again.
   */
  redactedLines: 4096,
  redactedLineChars: 512,
  /**
   * Bytes of a record up to which umbra's own encoder is quicker than zlib (core/recording/deflate). Larger:
   * zlib.
   */
  smallRecordBytes: 12 * 1024,
  /** Bytes of one record in a recording that is read. Larger: the record is skipped. */
  recordBytes: 64 * 1024 * 1024,
  /** Bytes of a HAR file that is replayed: it is held and parsed as a whole. Larger: it is not read. */
  harBytes: 256 * 1024 * 1024,
  /** Bytes of the body of a response that a replay compares. Longer: `not-comparable`, reason `too-large`. */
  replayResponseBytes: 1024 * 1024,
  /**
   * Bytes of responses that wait for the analysts of a replay. More:
   * `umbra_compare_unexamined_total{reason="analysts-busy"}`.
   */
  replayPairBytes: 64 * 1024 * 1024,
  /**
   * Pairs that wait for their counterpart in a replay, which may learn noise before it compares. Past it: as
   * `diffWaiting`.
   */
  replayWaiting: 64 * 1024,
  /** Bytes of responses of a second recording, from which noise is learned. Past it: from these alone. */
  replayLearnedBytes: 256 * 1024 * 1024,
  /**
   * Tokens of sessions that a replay knows for each server. More: the oldest is forgotten, and sent as
   * recorded.
   */
  replayTokens: 100_000,
  /** Bytes of a request body that is searched for tokens of sessions. Longer: it is sent as recorded. */
  replayTokenBodyBytes: 64 * 1024,
  /** Requests that one replay keeps the times of. More: it does not begin. */
  timelineRequests: 16 * 1024 * 1024,
  /**
   * Records of a recording that wait for their request or response. More: the oldest request is played
   * without one.
   */
  unpairedRecords: 256 * 1024,
  /**
   * Messages of one direction of a gRPC call whose times are recorded. Reached: further ones are played with
   * the last of these.
   */
  recordedMessageTimes: 1024,
  /** Bytes of the header of such a record. Longer: the record is skipped. */
  recordHeaderBytes: 64 * 1024,
  /**
   * Most `stream.outstanding`: messages of one stream that wait for their acknowledgement. Reached: drop
   * `in-flight`, or `stream-down`.
   */
  streamOutstanding: 8192,
  /**
   * Bytes of messages of a stream that `umbra shadow` has under way (`umbra_mirror_held_bytes`). Reached: no
   * more are asked for, and `umbra_sink_lag_messages` grows.
   */
  streamTakenBytes: 256 * 1024 * 1024,

  /** Bytes of the access-log ring of one thread. Full: `umbra_access_log_dropped_total`. */
  accessLogRingBytes: 1024 * 1024,

  /**
   * Distinct (route, version) mirrors, versions and routes over the life of the process. Reached: the reload
   * is refused.
   */
  mirrorSlots: 1024,
  versions: 1024,
  routes: 4096,
  /**
   * Names of routes that are counted, since the process started. Reached: further ones share one row,
   * `umbra_route_requests_total{route=""}`.
   */
  routeSlots: 8192,
  /**
   * gRPC methods of a version that a thread counts one by one, in one role. Reached: calls of further ones
   * count as the method `other`.
   */
  grpcMethods: 64,
  /** Bytes of the name of such a method, a multiple of 8. Longer: its calls count as `other`. */
  grpcMethodBytes: 128,
  /**
   * Megabytes of a thread's young generation: small, because what a data-plane thread allocates dies at once.
   */
  youngGenerationMb: 4,
  /** Threads of one kind. Reached: a configuration error. */
  threads: 64,
  /**
   * How long a thread may take to start, to acknowledge a part of a plan, and to leave, in milliseconds.
   * Reached: it is terminated and replaced, `umbra_thread_terminations_total`. A drain that takes longer than
   * `drain` ends so, too.
   */
  threadStartMs: 60_000,
  threadAnswerMs: 30_000,
  threadLeaveMs: 2000,
  /**
   * File descriptors that main holds back. When no other is left they are freed, idle upstream connections
   * are closed and new clients refused, `umbra_descriptor_shortages_total`.
   */
  reservedDescriptors: 32,
  /** How long the control thread may take to leave, in milliseconds: answers under way have one second. */
  controlLeaveMs: 3000,
  /** How long loading a configuration may take, in milliseconds. Reached: the change fails. */
  loadMs: 60_000,
  /** Bytes of a body sent to the admin API. Reached: 413. */
  adminBodyBytes: 1024 * 1024,
  /**
   * Bytes of all bodies that are being sent to the admin API or worked on. Past it: the one that has been
   * arriving for longest is answered 503, `umbra_admin_refused_total{reason="bodies"}`.
   */
  adminBodiesBytes: 32 * 1024 * 1024,
  /**
   * Changes that wait for the ones before them. Past it: 503,
   * `umbra_admin_refused_total{reason="changes"}`.
   */
  adminPendingChanges: 32,
  /**
   * Bytes of answers of the admin API that clients have not read. Past it: the connection that holds most is
   * closed, `umbra_admin_refused_total{reason="answers"}`.
   */
  adminAnswersBytes: 64 * 1024 * 1024,
  /** Readers of `GET /api/stream`. Reached: 503, `umbra_admin_streams_refused_total`. */
  adminStreams: 32,
  /**
   * How long a reader of the stream may take nothing, in milliseconds. Reached: its stream is closed,
   * `umbra_admin_streams_stalled_total`.
   */
  adminStreamStalledMs: 30_000,
  /** Points of the stream that are kept for readers to come: ten minutes. Past it: the oldest go. */
  adminStreamPoints: 600,
  /** Bytes of them. Past it: the oldest go. */
  adminStreamBytes: 2 * 1024 * 1024,
  /**
   * Requests to the admin API a second, and as many at once; probes aside. Past it: 429,
   * `umbra_admin_refused_total{reason="rate"}`.
   */
  adminRequestsPerSecond: 1000,
  /** Those of them that change something. Past it: 429, the same counter. */
  adminChangesPerSecond: 50,
  /**
   * Wrong tokens from one address, one of them forgiven a second. Past it: 429 for every token, the same
   * counter.
   */
  adminWrongTokens: 20,
  /** Addresses whose wrong tokens are remembered. Past it: the oldest is forgotten. */
  adminWrongTokenClients: 1024,
  /**
   * Connections to the admin API. Reached: the one that waits longest without being answered is closed for
   * the next one, `umbra_admin_refused_total{reason="connections"}`.
   */
  adminConnections: 128,
  /**
   * Time from a connection's first byte to the end of a request to the admin API, in milliseconds. Reached:
   * 408.
   */
  adminRequestMs: 10_000,
  /**
   * Bytes of one histogram that is read from a log or from another umbra. Larger: the line is reported and
   * passed over.
   */
  loggedHistogramBytes: 16 * 1024 * 1024,
  /** Bytes of one line of a histogram log. Longer: the line is reported and passed over. */
  logLineBytes: 16 * 1024 * 1024,
  /**
   * How long the last snapshot of an instance is kept after it, in milliseconds. Past it: it is forgotten.
   */
  fleetMemoryMs: 10 * 60 * 1000,
  /** Bytes of one snapshot that a command reads from NATS, unpacked. Larger: it is reported and left out. */
  fleetSnapshotBytes: 64 * 1024 * 1024,
  /** Snapshots that a command reads. Past it: the others are reported and left out. */
  fleetMembers: 4096,
  /** Bytes of all snapshots, packed and unpacked. Past either: the others are reported and left out. */
  fleetPackedBytes: 64 * 1024 * 1024,
  fleetBytes: 512 * 1024 * 1024,
  /**
   * How long a start waits for the server that has its plan, in milliseconds. Reached: it ends with an error.
   */
  planWaitMs: 10_000,
  /**
   * How long a process that takes over waits for the admin API's address, in milliseconds. Reached: it ends
   * with an error.
   */
  takeoverMs: 10_000,
  /**
   * How long further failures of one endpoint for one cause are collected on a data-plane thread before main
   * sees them, in milliseconds.
   */
  endpointNewsMs: 1000,
  /**
   * Lines of the log on one endpoint and cause: so many at once, then one for each of these times, in
   * milliseconds. Reached: what happens meanwhile is counted in the next line ("and 37 more"), and in
   * `umbra_upstream_endpoint_failures_total`.
   */
  endpointLogBurst: 2,
  endpointLogMs: 10_000,
  /**
   * Messages to systemd that it has not read. Reached: a sign of life or a text for the unit's status is not
   * sent.
   */
  serviceMessages: 16,
  /** Pause before the process that passes messages to systemd is started again, in milliseconds. */
  serviceHelperPauseMs: 1000,
  /**
   * Spans that wait on the control thread for their receiver, and those of one request to it. Reached:
   * further ones are dropped, `umbra_trace_spans_dropped_total`.
   */
  traceQueue: 8192,
  traceBatch: 512,
  /** How long the end of umbra waits for the receiver of spans, in milliseconds. */
  traceLeaveMs: 1000,
  /** A wall clock that differs by more, in microseconds, was set: later spans have the new time. */
  traceClockUs: 100_000,
  /** Bytes of a configuration file. Reached: a configuration error. */
  configBytes: 1024 * 1024,
  /**
   * Nesting of a configuration; the composer recurses, and a deep enough file would end the process. Reached:
   * a configuration error.
   */
  configDepth: 64,
  /** Values in a configuration with its aliases expanded. Reached: a configuration error. */
  configValues: 200_000,
  /**
   * Bytes of a file of documents, and of a body sent to `/api/apply`. Reached: a configuration error, 413.
   */
  documentBytes: 8 * 1024 * 1024,
  /** Values in a file of documents with its aliases expanded. Reached: a configuration error. */
  documentValues: 1_000_000,
  /**
   * Bytes of the file of live changes. Larger at the start: it is set aside; by a change: that is not kept.
   */
  liveStateBytes: 4 * 1024 * 1024,
  /**
   * How long a live change waits for the bucket of a fleet before it is made on this instance alone, in
   * milliseconds.
   */
  shareLiveMs: 500,
  /** Live changes that wait for the bucket. Past it: the oldest is not shared. */
  unsharedLiveChanges: 256,
  /** How long the lease of a fleet's leader lasts without being renewed, in milliseconds. */
  leaseMs: 5000,
  /**
   * How long the leader of a fleet waits until every instance has taken a step of a rollout, in milliseconds.
   * Reached: the step is undone, and the rollout is paused.
   */
  rolloutTakenMs: 10_000,
  /**
   * How long an instance may say nothing to the leader of a fleet, in milliseconds. Past the first: no step
   * of a rollout passes. Past the second: rollouts continue without the instance. `umbra rollout status`
   * names it.
   */
  rolloutSilentMs: 5000,
  rolloutLostMs: 60_000,
  /**
   * Bytes of an instance's report on its rollouts, packed and unpacked. Larger: it has fewer blocks of time;
   * then it is not sent, `umbra_rollout_reports_total{result="too-large"}`.
   */
  rolloutReportBytes: 256 * 1024,
  rolloutReportUnpackedBytes: 2 * 1024 * 1024,
  /**
   * Reports that the leader of a fleet reads. Past it: no step of a rollout passes, and `umbra rollout
   * status` says so.
   */
  rolloutMembers: 256,
  /** Bytes of the store of applied documents. Reached: a configuration error at the start. */
  documentStoreBytes: 64 * 1024 * 1024,
  /** Documents in force. Reached: a configuration error. */
  documents: 8192,
} as const;
