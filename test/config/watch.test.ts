import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { watchConfig } from '../../config/watch.js';
import t from '../support/tap.js';

/** Counts changes and lets a test wait for the next one. */
class Changes {
  count = 0;
  private waiting: (() => void) | null = null;
  readonly onChange = () => {
    this.count++;
    this.waiting?.();
    this.waiting = null;
  };
  /** Resolves at a change that comes after this call. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }
}

function watching(t: Tap, file: string): Changes {
  const changes = new Changes();
  const watch = watchConfig(file, changes.onChange);
  t.teardown(() => watch.close());
  return changes;
}
type Tap = { teardown(close: () => void): unknown };

t.test('a file that is written in place is a change; one that is written unchanged is none', async (t) => {
  const file = join(t.testdir({ 'umbra.yaml': 'a' }), 'umbra.yaml');
  const changes = watching(t, file);
  const first = changes.next();
  await writeFile(file, 'b');
  await first;
  // The unchanged write comes before a changed one: had it been reported, there would be three.
  await writeFile(file, 'b');
  const second = changes.next();
  await writeFile(file, 'c');
  await second;
  t.equal(changes.count, 2);
});

t.test('a file that is renamed over the old one is a change, again and again', async (t) => {
  const directory = t.testdir({ 'umbra.yaml': 'a' });
  const file = join(directory, 'umbra.yaml');
  const changes = watching(t, file);
  for (const content of ['b', 'c', 'd']) {
    const next = changes.next();
    await writeFile(join(directory, '.umbra.yaml.swp'), content);
    await rename(join(directory, '.umbra.yaml.swp'), file);
    await next;
  }
  t.equal(changes.count, 3);
});

t.test('a file that is taken away and comes back changed is one change', async (t) => {
  const file = join(t.testdir({ 'umbra.yaml': 'a' }), 'umbra.yaml');
  const changes = watching(t, file);
  const next = changes.next();
  await rm(file);
  await writeFile(file, 'b');
  await next;
  t.equal(changes.count, 1);
});

t.test('a link on the way to the file that is swapped is a change, and the new way is watched', async (t) => {
  const directory = t.testdir({ one: { 'umbra.yaml': 'a' }, two: { 'umbra.yaml': 'b' }, mount: {} });
  const mount = join(directory, 'mount');
  await symlink(join('..', 'one'), join(mount, '..data'));
  await symlink(join('..data', 'umbra.yaml'), join(mount, 'umbra.yaml'));
  const changes = watching(t, join(mount, 'umbra.yaml'));

  const swapped = changes.next();
  await symlink(join('..', 'two'), join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
  await swapped;

  const written = changes.next();
  await writeFile(join(directory, 'two', 'umbra.yaml'), 'c');
  await written;
  t.equal(changes.count, 2);
});

t.test('a file that is not there yet is waited for', async (t) => {
  const directory = t.testdir({});
  const changes = watching(t, join(directory, 'umbra.yaml'));
  const next = changes.next();
  await mkdir(join(directory, 'other'));
  await writeFile(join(directory, 'umbra.yaml'), 'a');
  await next;
  t.equal(changes.count, 1);
});

t.test('nothing is reported after close', async (t) => {
  const file = join(t.testdir({ 'umbra.yaml': 'a' }), 'umbra.yaml');
  const changes = new Changes();
  const closed = watchConfig(file, changes.onChange);
  closed.close();
  const other = watching(t, file);
  const next = other.next();
  await writeFile(file, 'b');
  await next;
  t.equal(changes.count, 0);
});

t.test('a directory that is removed and made again is watched again', async (t) => {
  const directory = t.testdir({ etc: { 'umbra.yaml': 'a' } });
  const etc = join(directory, 'etc');
  const changes = watching(t, join(etc, 'umbra.yaml'));
  for (const content of ['b', 'c']) {
    const next = changes.next();
    await rm(etc, { recursive: true });
    await mkdir(etc);
    await writeFile(join(etc, 'umbra.yaml'), content);
    await next;
  }
  const next = changes.next();
  await writeFile(join(etc, 'umbra.yaml'), 'd');
  await next;
  t.equal(changes.count, 3);
});

t.test('a directory that is not there yet is waited for', async (t) => {
  const directory = t.testdir({});
  const changes = watching(t, join(directory, 'etc', 'umbra.yaml'));
  const next = changes.next();
  await mkdir(join(directory, 'etc'));
  await writeFile(join(directory, 'etc', 'umbra.yaml'), 'a');
  await next;
  t.equal(changes.count, 1);
});
