#!/usr/bin/env node
// Plain syntax and a late import: a Node that is too old must get as far as the message.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 15)) {
  console.error(
    `umbra needs Node 20.15 or later, and this is Node ${process.versions.node} (${process.execPath}). ` +
      'Install a newer one, for example with `npm install --global node@22`.',
  );
  process.exit(2);
}
await import('../dist/bundle/umbra.cjs');
