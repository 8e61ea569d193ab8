import { GrpcStatus } from '../../../core/grpc/grpc-status.js';
import { pairsAlone } from '../../../core/plan.js';
import { Differs } from '../../../core/record/mirror-counters.js';
import type { RecordedResponse } from '../../../core/recording/recorded.js';
import { differenceOf } from '../../../core/replay/pair-difference.js';
import t from '../../support/tap.js';

const compare = { ...pairsAlone, digest: true, headers: ['content-type'] };

function response(
  changes: Partial<RecordedResponse> = {},
  fields = 'content-type: a/b\r\n',
): RecordedResponse {
  const content = { head: `200 OK\r\n${fields}`, body: Buffer.from('ok'), truncated: false };
  const figures = { bytes: 2, digest: 7, truncated: false, latencyUs: 1 };
  return { status: 200, grpcStatus: GrpcStatus.NONE, ...figures, content, ...changes };
}

t.test('a pair differs in status, size, checksum and the fields that are compared', async (t) => {
  const differs = (shadow: RecordedResponse, primary = response()) => differenceOf(primary, shadow, compare);
  t.equal(differs(response()), 0);
  t.equal(differs(response({ status: 404 })), Differs.STATUS);
  const statusOf = (grpcStatus: GrpcStatus) => response({ status: 409, grpcStatus });
  const [exists, aborted] = [statusOf(GrpcStatus.ALREADY_EXISTS), statusOf(GrpcStatus.ABORTED)];
  t.equal(differs(exists, aborted), Differs.STATUS, 'both stand for 409');
  t.equal(differs(exists, statusOf(GrpcStatus.NONE)), 0, 'one of them is not known');
  t.equal(differs(response({ bytes: 3, digest: 8 })), Differs.SIZE | Differs.BODY);
  t.equal(differs(response({}, 'content-type: a/c\r\n')), Differs.HEADER);
  t.equal(differs(response({}, 'x-other: 1\r\ncontent-type: a/b\r\n')), 0);
});

t.test('what the recording does not know is no difference', async (t) => {
  const differs = (primary: RecordedResponse) =>
    differenceOf(primary, response({ bytes: 3, digest: 8 }), compare);
  t.equal(differs(response({ truncated: true })), 0);
  t.equal(differs(response({ digest: null })), Differs.SIZE);
  t.equal(differenceOf(response({ content: null }), response({}, ''), compare), 0);
  t.equal(differenceOf(response({}, 'content-type: [redacted]\r\n'), response(), compare), 0);
});

t.test('what the rules leave out is not compared', async (t) => {
  const other = response({ digest: 8 }, '');
  t.equal(differenceOf(response(), other, { ...compare, digest: false, headers: [] }), 0);
});
