/** Numbers as people read them: three digits, the unit that fits, and always the same width of thought. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Microseconds as `850 µs`, `4.21 ms`, `1.50 s`. */
export function duration(us) {
  const size = Math.abs(us);
  if (size < 1000) return `${Math.round(us)} µs`;
  if (size < 1e6) return `${three(us / 1000)} ms`;
  return `${three(us / 1e6)} s`;
}

/** The same with its sign. */
export function difference(us) {
  return `${us > 0 ? '+' : us < 0 ? '−' : ''}${duration(Math.abs(us))}`;
}

export function count(n) {
  return whole.format(n);
}

/** Per second. */
export function rate(n) {
  return `${n >= 1000 ? whole.format(n) : three(n)}/s`;
}

/** A ratio from 0 to 1. */
export function percent(ratio) {
  if (ratio === 0) return '0 %';
  const value = ratio * 100;
  if (value < 0.01) return '< 0.01 %';
  return `${value >= 99.995 ? '100' : three(value)} %`;
}

/** A share as the configuration has it: up to four decimals. */
export function share(value) {
  return `${Number(value.toFixed(4))} %`;
}

export function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = n;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : three(value)} ${units[unit]}`;
}

/** Seconds as `42 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`. */
export function span(seconds) {
  const s = Math.floor(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}

function three(n) {
  const size = Math.abs(n);
  if (size >= 99.95) return whole.format(n);
  if (size >= 9.995) return n.toFixed(1);
  return size === 0 ? '0' : n.toFixed(2);
}

/** What a version or sink is called where there is little room: without scheme and place. */
export function shortTarget({ name, role }) {
  if (role !== 'sink') return name;
  return name.slice(name.replace(/\/+$/, '').search(/[^/:]+\/*$/));
}
