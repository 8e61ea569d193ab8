import { shadowHost } from '../../../core/mirror/shadow-host.js';
import t from '../../support/tap.js';

const endpoint = '10.0.0.7:8443';

t.test('the policy shadow appends to the host name and keeps the port', async (t) => {
  t.equal(shadowHost({ kind: 'shadow' }, 'reviews', endpoint), 'reviews-shadow');
  t.equal(
    shadowHost({ kind: 'shadow' }, 'reviews.example.com:8080', endpoint),
    'reviews.example.com-shadow:8080',
  );
  t.equal(
    shadowHost({ kind: 'shadow' }, '[::1]:8080', endpoint),
    '[::1]:8080',
    'an IPv6 literal has no name',
  );
  t.equal(shadowHost({ kind: 'shadow' }, '', endpoint), '', 'an empty Host stays empty');
});

t.test('the other policies send what they name', async (t) => {
  t.equal(shadowHost({ kind: 'preserve' }, 'reviews:1', endpoint), 'reviews:1');
  t.equal(shadowHost({ kind: 'endpoint' }, 'reviews:1', endpoint), endpoint);
  t.equal(shadowHost({ kind: 'set', value: 'canary' }, 'reviews:1', endpoint), 'canary');
});
