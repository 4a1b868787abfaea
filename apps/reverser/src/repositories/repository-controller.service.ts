import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { KubeObject, RepositoryKey } from '#domain';
import { InformerFactory, KubeEvents, StatusWriter } from '#k8s';
import { RepositoryLock, RepositoryQueues } from '#queue';
import { GIT_REPO_CONFIGS } from '../custom-resources.ts';
import { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import { HandledRemovals } from '../redis/handled-removals.service.ts';
import { RepositoryAccess } from './access.service.ts';
import { RepositoryActor } from './repository-actor.ts';
import { CONFIRM_ANNOTATION, RESYNC_ANNOTATION } from './opened-repository.ts';
import type { OpenedRepository } from './opened-repository.ts';
import { ListedScreen } from './listed-screen.service.ts';
import { RepositoryReporter } from './repository-reporter.ts';

const SECRETS = { group: '', version: 'v1', resource: 'secrets' };
const MEASURE_MS = 2_000;

export interface RepositoryListener {
  /** A GitRepoConfig appeared or went. */
  setChanged: () => void;
  /** The cluster is to be compared with a repository. */
  resyncWanted: (key: RepositoryKey, reason: string) => void;
}

/** Follows all GitRepoConfigs; each has an actor of its own, so that one broken repository delays no other. */
@Injectable()
export class RepositoryController implements OnApplicationShutdown {
  private readonly logger = new Logger(RepositoryController.name);
  private readonly actors = new Map<string, RepositoryActor>();
  private listener: RepositoryListener = { setChanged: () => undefined, resyncWanted: () => undefined };
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly informers: InformerFactory,
    private readonly statusWriter: StatusWriter,
    private readonly events: KubeEvents,
    private readonly access: RepositoryAccess,
    private readonly queues: RepositoryQueues,
    private readonly lock: RepositoryLock,
    private readonly metrics: ReverserMetrics,
    private readonly screen: ListedScreen,
    private readonly removals: HandledRemovals,
  ) {}

  /** Starts to follow; resolves once all existing ones are known. */
  async start(listener: RepositoryListener): Promise<void> {
    this.listener = listener;
    // Before the list: what is missing there was deleted while nobody looked.
    const owners = await this.queues.listOwners().catch(() => new Map<string, string>()); // the next start looks again
    const informer = this.informers.createInformer<KubeObject>({
      type: GIT_REPO_CONFIGS,
      onAdd: (object) => this.add(object),
      onUpdate: (object, previous) => this.update(object, previous),
      onDelete: (object) => this.remove(object),
    });
    this.timer = setInterval(() => this.measureAll(), MEASURE_MS);
    await informer.synced;
    for (const [text, uid] of owners) if (!this.actors.has(text)) this.disown(parseRepositoryKey(text), uid);
  }

  exists(key: RepositoryKey): boolean {
    return this.actors.has(repositoryKeyText(key));
  }

  /** For a resync; nothing while it does not exist or is not open. */
  opened(key: RepositoryKey): OpenedRepository | undefined {
    return this.actors.get(repositoryKeyText(key))?.opened();
  }

  /** All GitRepoConfigs. */
  keys(): RepositoryKey[] {
    return [...this.actors.values()].map((actor) => actor.key);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.allSettled([...this.actors.values()].map((actor) => actor.end()));
  }

  private add(object: KubeObject): void {
    const key = keyOf(object);
    const text = repositoryKeyText(key);
    const actor = new RepositoryActor(key, uidOf(object), {
      access: this.access,
      queues: this.queues,
      lock: this.lock,
      metrics: this.metrics,
      removals: this.removals,
      reporter: new RepositoryReporter(key, this.statusWriter, this.events),
      onOpened: () => this.listener.resyncWanted(key, 'repository opened'),
      holding: (changes) => this.screen.holding(changes),
      onOvertaken: () => this.listener.resyncWanted(key, 'listed states were overtaken'),
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
    this.listener.setChanged();
  }

  private update(object: KubeObject, previous: KubeObject): void {
    if (object.metadata.uid !== previous.metadata.uid) {
      this.remove(previous);
      this.add(object);
      return;
    }
    const actor = this.actors.get(repositoryKeyText(keyOf(object)));
    const annotated = (name: string): boolean =>
      object.metadata.annotations?.[name] !== previous.metadata.annotations?.[name];
    actor?.annotate(object);
    if (object.metadata.generation !== previous.metadata.generation) actor?.update(object);
    else if (annotated(RESYNC_ANNOTATION)) this.listener.resyncWanted(keyOf(object), 'requested');
    else if (annotated(CONFIRM_ANNOTATION)) this.listener.resyncWanted(keyOf(object), 'removal confirmed');
  }

  private remove(object: KubeObject): void {
    const text = repositoryKeyText(keyOf(object));
    const actor = this.actors.get(text);
    this.actors.delete(text);
    this.logger.log({ msg: 'repository was deleted, its worker ends', repository: text });
    if (actor !== undefined) void this.end(actor);
    this.listener.setChanged();
  }

  private async end(actor: RepositoryActor): Promise<void> {
    await actor.end().catch((error: Error) => {
      this.logger.warn({
        msg: 'a repository did not end well',
        repository: repositoryKeyText(actor.key),
        error: error.message,
      });
    });
    this.disown(actor.key, actor.uid);
  }

  /** What was queued for a GitRepoConfig that is deleted has nowhere to go. */
  private disown(key: RepositoryKey, uid: string): void {
    this.queues
      .disown(key, uid)
      .then(() => this.removals.forget(uid))
      .catch(() => undefined); // the process ends: the next start looks again
  }

  private measureAll(): void {
    for (const actor of this.actors.values()) void actor.measure().catch(() => undefined); // Redis is away
  }
}

function uidOf(object: KubeObject): string {
  return object.metadata.uid ?? '';
}

function parseRepositoryKey(text: string): RepositoryKey {
  const [namespace = '', name = ''] = text.split('/');
  return { namespace, name };
}

function keyOf(object: KubeObject): RepositoryKey {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
}
