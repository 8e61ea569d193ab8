/** How much of itself umbra uses: threads, rings, and the process as a whole. */
import { el, Keyed, setText } from './dom.js';
import { bytes, count, duration, percent } from './format.js';

/** Beyond these a gauge is worth a look. */
const highShare = 0.8;
const highDelayUs = 20_000;

export class Threads {
  #gauges;

  constructor(place) {
    this.#gauges = new Keyed(place);
  }

  draw({ snapshot: { live, process, stats } }) {
    const gauges = [
      {
        name: 'process',
        share: null,
        value: `${process.cpuCores.toFixed(2)} cores`,
        detail: `${bytes(process.residentBytes)} resident, ${count(stats.threads.restarts)} thread restarts`,
        late: stats.threads.restarts > 0,
      },
      ...live.threads.map((thread) => ({
        name: thread.name,
        share: thread.busy,
        value: `${percent(thread.busy)} busy`,
        detail: [
          `${duration(thread.loopDelayUs)} late`,
          ...(thread.kind === 'proxy' ? [`${count(thread.connections)} connections`] : []),
          ...(thread.restarts > 0 ? [`${count(thread.restarts)} restarts`] : []),
        ].join(', '),
        high: thread.busy > highShare,
        late: thread.loopDelayUs > highDelayUs || thread.restarts > 0,
      })),
      ...live.rings.map((ring) => ({
        name: `ring ${ring.name}`,
        share: ring.usedBytes / ring.capacityBytes,
        value: bytes(ring.usedBytes),
        detail: `of ${bytes(ring.capacityBytes)}`,
        high: ring.usedBytes > ring.capacityBytes * highShare,
      })),
    ];
    this.#gauges.update(
      gauges,
      ({ name }) => name,
      ({ name }) => new Gauge(name),
    );
  }
}

class Gauge {
  #value = el('b');
  #detail = el('span', { className: 'muted' });
  #fill = el('span');
  #track = el('div', { className: 'track', 'aria-hidden': 'true' }, this.#fill);
  element;

  constructor(name) {
    this.element = el(
      'div',
      { className: 'gauge' },
      el('h3', { textContent: name }),
      this.#value,
      this.#track,
      this.#detail,
    );
  }

  update({ share, value, detail, high = false, late = false }) {
    setText(this.#value, value);
    setText(this.#detail, detail);
    this.#track.hidden = share === null;
    this.#fill.style.width = `${Math.min(100, (share ?? 0) * 100).toFixed(1)}%`;
    this.element.classList.toggle('high', high);
    this.element.classList.toggle('late', late);
  }
}
