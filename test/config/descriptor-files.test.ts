import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePlan } from '../../config/compile.js';
import { formatProblem, loadConfig, unreadable } from '../../config/load.js';
import { MirrorSlots } from '../../config/slots.js';
import { Descriptors } from '../../core/protobuf/descriptors.js';
import { Scalar } from '../../core/protobuf/field-type.js';
import { descriptorSet, messageType } from '../core/protobuf/types.js';
import t from '../support/tap.js';

t.test(
  'a descriptor set is read with the configuration, and what is wrong with it has a place',
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-descriptors-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    const set = descriptorSet({
      pkg: 'shop',
      messages: [messageType('Item', [{ name: 'stars', number: 3, type: Scalar.INT32 }])],
    });
    writeFileSync(join(directory, 'shop.binpb'), set);
    writeFileSync(join(directory, 'text.proto'), 'syntax = "proto3";');
    const load = (file: string) =>
      loadConfig(
        `versions: { v1: { endpoints: "http://127.0.0.1:1" }, v2: { endpoints: "http://127.0.0.1:2" } }
routes:
  - name: shop
    primary: v1
    mirrors:
      - to: v2
        compare: { protobuf: { descriptors: ${file} } }
`,
        join(directory, 'umbra.yaml'),
        { unreadable },
      );
    const loaded = load('shop.binpb');
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    const plan = compilePlan(loaded.config, 1, new MirrorSlots(), 2);
    const { protobuf } = plan.routes[0]!.mirrors[0]!.compare.structure!;
    const descriptors = Descriptors.read(new Uint8Array(protobuf!.descriptors));
    t.equal(descriptors.message('shop.Item')!.fields.get(3)!.name, 'stars');
    t.match(protobuf!.digest, /^[0-9a-f]{64}$/);
    t.match(loaded.config.effective, /"descriptors":"[^"]*\/shop\.binpb"/);

    const reflected = load('reflection');
    if (!reflected.ok) throw new Error('reflection is no file');
    const { compare } = compilePlan(reflected.config, 1, new MirrorSlots(), 2).routes[0]!.mirrors[0]!;
    t.match(compare.structure, { protobuf: null, reflection: true });
    t.match(reflected.config.effective, /"descriptors":"reflection"/);
    t.equal(
      compilePlan(loaded.config, 1, new MirrorSlots(), 2).routes[0]!.mirrors[0]!.compare.structure!
        .reflection,
      false,
    );

    for (const [file, message] of [
      ['text.proto', "can't be used: it is not a FileDescriptorSet"],
      ['none.binpb', "can't be read: no such file"],
      ['.', "can't be read: it is not a file"],
    ] as const) {
      const refused = load(file);
      const problems = refused.ok ? [] : refused.problems.map(formatProblem);
      t.equal(problems.length, 1, file);
      t.match(problems[0], /umbra\.yaml:7:45: routes\[0\]\.mirrors\[0\]\.compare\.protobuf\.descriptors: /);
      t.ok(problems[0]!.endsWith(message), problems[0]);
    }
  },
);
