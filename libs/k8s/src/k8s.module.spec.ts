import { describe, expect, it } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { Test } from '@nestjs/testing';
import {
  CertificateManager,
  K8S_OPTIONS,
  K8sModule,
  KubeApi,
  KubeEvents,
  StatusWriter,
  WebhookRegistrar,
} from './index.ts';

const OPTIONS = { kubeConfig: new KubeConfig(), podNamespace: 'own', instanceName: 'reverser' };

describe('K8sModule', () => {
  it.each([
    ['forRoot', K8sModule.forRoot(OPTIONS)],
    ['forRootAsync', K8sModule.forRootAsync({ useFactory: () => Promise.resolve(OPTIONS) })],
  ])('%s provides everything without a call to a cluster', async (_name, imported) => {
    const module = await Test.createTestingModule({ imports: [imported] }).compile();

    for (const service of [KubeApi, CertificateManager, WebhookRegistrar, StatusWriter, KubeEvents]) {
      expect(module.get(service)).toBeInstanceOf(service);
    }
    expect(module.get(K8S_OPTIONS)).toBe(OPTIONS);
    await module.close();
  });
});
