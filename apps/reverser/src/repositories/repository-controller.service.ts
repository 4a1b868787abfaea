import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { KubeObject, RepositoryKey } from '#domain';
import { InformerFactory, KubeEvents, StatusWriter } from '#k8s';
import { RepositoryLock, RepositoryQueues } from '#queue';
import { GIT_REPO_CONFIGS } from '../custom-resources.ts';
import { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import { RepositoryAccess } from './access.service.ts';
import { RepositoryActor } from './repository-actor.ts';
import { RepositoryReporter } from './repository-reporter.ts';

const SECRETS = { group: '', version: 'v1', resource: 'secrets' };
const MEASURE_MS = 2_000;

/** Follows all GitRepoConfigs; each has an actor of its own, so that one broken repository delays no other. */
@Injectable()
export class RepositoryController implements OnApplicationShutdown {
  private readonly logger = new Logger(RepositoryController.name);
  private readonly actors = new Map<string, RepositoryActor>();
  private listener: () => void = () => undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly informers: InformerFactory,
    private readonly statusWriter: StatusWriter,
    private readonly events: KubeEvents,
    private readonly access: RepositoryAccess,
    private readonly queues: RepositoryQueues,
    private readonly lock: RepositoryLock,
    private readonly metrics: ReverserMetrics,
  ) {}

  /** Starts to follow; resolves once all existing ones are known. `onSetChanged` is called when one appears or goes. */
  async start(onSetChanged: () => void): Promise<void> {
    this.listener = onSetChanged;
    const informer = this.informers.createInformer<KubeObject>({
      type: GIT_REPO_CONFIGS,
      onAdd: (object) => this.add(object),
      onUpdate: (object, previous) => this.update(object, previous),
      onDelete: (object) => this.remove(object),
    });
    this.timer = setInterval(() => this.measureAll(), MEASURE_MS);
    await informer.synced;
  }

  exists(key: RepositoryKey): boolean {
    return this.actors.has(repositoryKeyText(key));
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.allSettled([...this.actors.values()].map((actor) => actor.end()));
  }

  private add(object: KubeObject): void {
    const key = keyOf(object);
    const text = repositoryKeyText(key);
    const actor = new RepositoryActor(key, {
      access: this.access,
      queues: this.queues,
      lock: this.lock,
      metrics: this.metrics,
      reporter: new RepositoryReporter(key, this.statusWriter, this.events),
      watchSecret: (namespace, name, onChange) =>
        this.informers.createInformer<unknown>({
          type: SECRETS,
          namespace,
          fieldSelector: `metadata.name=${name}`,
          transform: () => null, // only the news is wanted: the data is read when it is used
          onAdd: onChange,
          onUpdate: onChange,
          onDelete: onChange,
        }),
    });
    this.actors.set(text, actor);
    actor.update(object);
    this.listener();
  }

  private update(object: KubeObject, previous: KubeObject): void {
    if (object.metadata.uid !== previous.metadata.uid) {
      this.remove(previous);
      this.add(object);
      return;
    }
    if (object.metadata.generation === previous.metadata.generation) return;
    this.actors.get(repositoryKeyText(keyOf(object)))?.update(object);
  }

  private remove(object: KubeObject): void {
    const text = repositoryKeyText(keyOf(object));
    const actor = this.actors.get(text);
    this.actors.delete(text);
    this.logger.log({ msg: 'repository was deleted, its worker ends', repository: text });
    void actor?.end();
    this.listener();
  }

  private measureAll(): void {
    for (const actor of this.actors.values()) void actor.measure().catch(() => undefined); // Redis is away
  }
}

function keyOf(object: KubeObject): RepositoryKey {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
}
