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

  it('tells large integers apart that are one double', async () => {
    const module = await Test.createTestingModule({
      imports: [SanitizerModule.register({ digestKey: () => new Uint8Array(32) })],
    }).compile();
    const of = (limit: bigint) =>
      module.get(SanitizerService).sanitize({
        apiVersion: 'example.com/v1',
        kind: 'Counter',
        metadata: { name: 'c', generation: limit as unknown as number },
        spec: { limit },
      });
    const [one, next] = [of(1234567890123456789n), of(1234567890123456790n)];
    expect(one.content).toContain('limit: 1234567890123456789\n');
    expect(next.digest.content).not.toBe(one.digest.content);
    expect(next.digest.fingerprint).not.toBe(one.digest.fingerprint);
  });

  it('redacts a Secret whatever stands where its texts should', async () => {
    const module = await Test.createTestingModule({
      imports: [SanitizerModule.register({ digestKey: () => new Uint8Array(32) })],
    }).compile();
    const metadata = { name: 's', annotations: { large: 2n ** 60n } } as unknown as KubeObject['metadata'];
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: { a: 2n ** 61n, b: [{ c: 2n ** 62n }] } };
    const { content } = module.get(SanitizerService).sanitize(secret);
    expect(content).not.toMatch(/23058430|46116860/);
  });
});
