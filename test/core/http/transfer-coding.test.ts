import { RequestFault } from '../../../core/http/request-fault.js';
import { readTransferCoding } from '../../../core/http/transfer-coding.js';
import t from '../../support/tap.js';

t.test('chunked alone is framing, in any case and beside empty members of the list', async (t) => {
  for (const value of ['chunked', 'Chunked', ', chunked', 'chunked,', ' ,\tchunked , '])
    t.equal(readTransferCoding(value), RequestFault.NONE, value);
});

t.test('a coding before chunked is not known, and any other list leaves the end open', async (t) => {
  for (const value of ['gzip, chunked', 'identity, chunked'])
    t.equal(readTransferCoding(value), RequestFault.CODING, value);
  for (const value of ['', ',', 'gzip', 'xchunked', 'chunked, gzip', 'chunked, chunked', '\xa0chunked'])
    t.equal(readTransferCoding(value), RequestFault.CODING_END, value);
});
