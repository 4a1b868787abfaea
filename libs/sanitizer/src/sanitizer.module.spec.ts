import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '#domain';
import { SanitizerModule, SanitizerService, digestState } from './index.ts';

const KEY = Symbol('KEY');
@Module({ providers: [{ provide: KEY, useValue: new Uint8Array(32).fill(3) }], exports: [KEY] })
class KeyModule {}

const configMap: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', uid: 'u' },
  data: { a: 'b' },
};
const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  a: b\n';

describe('SanitizerModule', () => {
  it('takes its key from another module and gives the file with its digests', async () => {
    const useFactory = (key: Uint8Array) => ({ digestKey: () => key });
    const imported = SanitizerModule.registerAsync({ imports: [KeyModule], inject: [KEY], useFactory });
    const module = await Test.createTestingModule({ imports: [imported] }).compile();
    const digest = digestState(configMap, text, new Uint8Array(32).fill(3));
    expect(module.get(SanitizerService).sanitize(configMap)).toEqual({ content: text, digest });
  });

  it('asks for the key at every call, so that a key which arrives later counts', async () => {
    let key = new Uint8Array(32);
    const module = await Test.createTestingModule({
      imports: [SanitizerModule.register({ digestKey: () => key })],
    }).compile();
    const service = module.get(SanitizerService);
    const before = service.sanitize(configMap).digest.content;
    key = new Uint8Array(32).fill(9);
    expect(service.sanitize(configMap).digest.content).not.toBe(before);
  });
});
