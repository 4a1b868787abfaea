import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { KubeObject } from '#domain';
import { KubeApi } from '../api/kube-api.ts';
import { KubeInformer } from './kube-informer.ts';
import type { InformerOptions } from './kube-informer.ts';

/** Makes informers and ends those that still run when the application does. */
@Injectable()
export class InformerFactory implements OnApplicationShutdown {
  private readonly running = new Set<{ stop(): Promise<void> }>();

  constructor(private readonly api: KubeApi) {}

  /** A running informer. Its owner stops it when it is no longer needed. */
  createInformer<T = KubeObject>(options: InformerOptions<T>): KubeInformer<T> {
    const informer = new KubeInformer<T>(this.api, options);
    this.running.add(informer);
    void informer.finished.then(() => this.running.delete(informer));
    return informer;
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(Array.from(this.running, (informer) => informer.stop()));
  }
}
