import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { KubeObject, RepositoryKey, ResourceType } from '#domain';
import {
  buildWebhookConfiguration,
  CertificateManager,
  collectionPath,
  Discovery,
  InformerFactory,
  KubeApi,
  KubeEvents,
  StatusWriter,
  WebhookRegistrar,
} from '#k8s';
import type { DiscoveredType, KubeInformer, WebhookConfiguration } from '#k8s';
import { RulesService } from '#rules';
import { SETTINGS } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { GIT_REPO_CONFIGS, statusRef, WATCH_RULES } from '../custom-resources.ts';
import { evaluateRules } from './evaluate-rules.ts';
import type { EvaluatedRule, Evaluation } from './evaluate-rules.ts';
import { LaterLooks } from './later-looks.ts';
import { RuleCurrency } from './rule-currency.service.ts';
import { RULE_REASONS, ruleStatus } from './rule-status.ts';
import type { RuleState } from './rule-status.ts';
import { SelectedTypes } from './selected-types.service.ts';

const CUSTOM_RESOURCES = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };
/** News that come together are handled together. */
const GATHER_MS = 20;
/** Kinds of aggregated API servers come without news. */
const DISCOVERY_AGE_MS = 60_000;
const RETRY_MS = 2_000;
/** About three seconds: API servers read a new registration within one. */
const CONFIRM_ATTEMPTS = 8;

/** What is selected from now on. */
export interface SelectionChange {
  /** The registration is written. */
  registered: boolean;
  types: ResourceType[];
  /** `namespace/name` of the GitRepoConfigs whose rules or kinds are new or different. */
  repositories: string[];
}

type Registration = { evaluation: Evaluation } & ({ digest: string } | { failure: string });

/** Keeps the rules in force, and the webhook's registration to just what they select. */
@Injectable()
export class SelectionController implements OnApplicationShutdown {
  private readonly logger = new Logger(SelectionController.name);
  private rules: KubeInformer | undefined;
  private types: { list: DiscoveredType[]; at: number } | undefined;
  private exists: (key: RepositoryKey) => boolean = () => false;
  private timer: NodeJS.Timeout | undefined;
  private interval: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private readonly kindLooks = new LaterLooks(() => this.kindsChanged());
  private ended = false;
  /** Digest of the registration that the API server was seen to use. */
  private confirmed = '';
  /** What each repository's rules said when they came into force. */
  private selections = new Map<string, string>();
  private listener: (selection: SelectionChange) => void = () => undefined;
  private readonly announced = new Map<string, string>();

  constructor(
    private readonly informers: InformerFactory,
    private readonly discovery: Discovery,
    private readonly registrar: WebhookRegistrar,
    private readonly certificates: CertificateManager,
    private readonly statusWriter: StatusWriter,
    private readonly events: KubeEvents,
    private readonly rulesService: RulesService,
    private readonly selectedTypes: SelectedTypes,
    private readonly currency: RuleCurrency,
    private readonly api: KubeApi,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Starts to follow rules and kinds. `onSelection` is called each time that a registration is in force. */
  async start(exists: (key: RepositoryKey) => boolean, onSelection: (change: SelectionChange) => void): Promise<void> {
    this.exists = exists;
    this.listener = onSelection;
    const changed = (): void => this.trigger();
    this.rules = this.informers.createInformer<KubeObject>({
      type: WATCH_RULES,
      onAdd: changed,
      onUpdate: (object, previous) => {
        if (
          object.metadata.generation !== previous.metadata.generation ||
          object.metadata.uid !== previous.metadata.uid
        )
          changed();
      },
      onDelete: changed,
    });
    const kinds = this.informers.createInformer<unknown>({
      type: CUSTOM_RESOURCES,
      // Established and served versions are in spec and status: any change may be news.
      transform: () => null,
      onAdd: () => this.kindLooks.start(),
      onUpdate: () => this.kindLooks.start(),
      onDelete: () => this.kindLooks.start(),
      metadataOnly: true,
    });
    await Promise.all([this.rules.synced, kinds.synced]);
    this.currency.start(async () => {
      const evaluation = await this.evaluateAnew();
      this.enforce(evaluation, this.registrationOf(evaluation).digest);
      this.trigger();
    });
    this.interval = setInterval(() => this.kindsChanged(), DISCOVERY_AGE_MS);
    this.trigger();
  }

  /** Something that the registration depends on has changed: rules, repositories, the certificate. */
  trigger(): void {
    if (this.ended || this.rules === undefined) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.again = true;
      this.running ??= this.run().finally(() => (this.running = undefined));
    }, GATHER_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    clearInterval(this.interval);
    this.kindLooks.stop();
    await this.running;
  }

  private kindsChanged(): void {
    this.types = undefined;
    this.trigger();
  }

  private async run(): Promise<void> {
    while (this.again && !this.ended) {
      this.again = false;
      try {
        await this.reconcile();
      } catch (error) {
        this.logger.error({
          msg: 'the webhook registration failed, it is tried again',
          error: (error as Error).message,
        });
        setTimeout(() => this.trigger(), RETRY_MS).unref();
      }
    }
  }

  private async reconcile(): Promise<void> {
    const registration = await this.register(await this.evaluate());
    const { evaluation } = registration;
    this.announceSelection(evaluation, 'digest' in registration);
    const probe = evaluation.evaluated[0]?.object;
    const failure = 'digest' in registration ? await this.confirm(registration.digest, probe) : registration.failure;
    await Promise.all(evaluation.evaluated.map((rule) => this.tell(rule, failure)));
    if (failure !== undefined) setTimeout(() => this.trigger(), RETRY_MS).unref();
  }

  /** As far as our watches know. */
  private async evaluate(): Promise<Evaluation> {
    return evaluateRules(this.rules?.items() ?? [], await this.servedTypes(), this.exists);
  }

  /** From what the API server holds now. */
  private async evaluateAnew(): Promise<Evaluation> {
    this.types = undefined;
    const [types, rules, repositories] = await Promise.all([
      this.servedTypes(),
      this.api.list(collectionPath(WATCH_RULES)),
      this.api.list(collectionPath(GIT_REPO_CONFIGS), { metadataOnly: true }),
    ]);
    const existing = new Set(repositories.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
    return evaluateRules(rules.items, types, (key) => existing.has(repositoryKeyText(key)));
  }

  /** A call that comes with a registration finds its rules in force: they come first. */
  private enforce({ byRepository, selected, rules }: Evaluation, digest?: string): void {
    const types = [...byRepository].map(([repository, each]) => [repository, each.types] as const);
    this.selectedTypes.replace(
      selected.map(({ type }) => type),
      new Map(types),
    );
    this.rulesService.setRules(rules);
    if (digest !== undefined) this.currency.note(digest);
  }

  /** What is selected now; what came before is only seen by comparing. */
  private announceSelection({ selected, byRepository }: Evaluation, registered: boolean): void {
    const changed = [...byRepository].filter(([repository, { text }]) => this.selections.get(repository) !== text);
    this.selections = new Map([...byRepository].map(([repository, { text }]) => [repository, text]));
    const repositories = changed.map(([repository]) => repository);
    this.listener({ registered, types: selected.map(({ type }) => type), repositories });
  }

  /** Writes the registration and puts its rules in force. Its digest is `''` where nothing is registered. */
  private async register(known: Evaluation): Promise<Registration> {
    let evaluation = known;
    let digest: string | undefined;
    try {
      const desired = this.registrationOf(known);
      const refresh = async (): Promise<WebhookConfiguration> => {
        evaluation = await this.evaluateAnew();
        const fresh = this.registrationOf(evaluation);
        digest = fresh.digest;
        this.enforce(evaluation, digest);
        return fresh;
      };
      if (await this.registrar.apply(desired, refresh)) this.confirmed = '';
      // Only now it is known that what our watches know is not older than what is registered.
      if (digest === undefined) this.enforce(known, desired.digest);
      const nothing = !evaluation.selected.some(({ admitted }) => admitted);
      return { evaluation, digest: nothing ? '' : (digest ?? desired.digest) };
    } catch (error) {
      if (digest === undefined) this.enforce(evaluation);
      const failure = error instanceof Error ? error.message : 'unknown error';
      this.logger.warn({ msg: 'the webhook registration was not written', error: failure });
      return { evaluation, failure };
    }
  }

  private registrationOf({ selected, rules }: Evaluation): WebhookConfiguration {
    const certificate = this.certificates.certificate;
    if (certificate === undefined) throw new Error('There is no certificate yet.');
    const { webhook, podNamespace, instanceName } = this.settings;
    const revision = rules.map(({ key, spec }) => JSON.stringify([repositoryKeyText(key), spec])).sort();
    return buildWebhookConfiguration({
      instanceName,
      podNamespace,
      selected: selected.filter(({ admitted }) => admitted).map((each) => ({ ...each.type, ...each })),
      client:
        webhook.url === undefined
          ? { service: { namespace: podNamespace, name: webhook.service } }
          : { url: webhook.url },
      caBundle: certificate.caBundle,
      revision: revision.join('\n'),
    });
  }

  /** What is wrong with the registration; nothing where the API server was seen to use it. */
  private async confirm(digest: string, probe: KubeObject | undefined): Promise<string | undefined> {
    if (probe === undefined || digest === '' || this.confirmed === digest) return undefined;
    const { webhook } = this.settings;
    try {
      const seen = await this.registrar.confirm(digest, statusRef(WATCH_RULES, probe), { attempts: CONFIRM_ATTEMPTS });
      if (seen) this.confirmed = digest;
      const where = webhook.url ?? `the Service ${webhook.service}`;
      return seen ? undefined : `The API server does not call the webhook: check that it reaches ${where}.`;
    } catch (error) {
      const failure = error instanceof Error ? error.message : 'unknown error';
      this.logger.warn({ msg: 'the webhook registration can not be confirmed', error: failure });
      return failure;
    }
  }

  private async servedTypes(): Promise<DiscoveredType[]> {
    if (this.types === undefined || Date.now() - this.types.at > DISCOVERY_AGE_MS) {
      const at = Date.now();
      const { types, failedGroups } = await this.discovery.listResourceTypes();
      if (failedGroups.length > 0) this.logger.warn({ msg: 'some API groups could not be read', failedGroups });
      this.types = { list: types, at };
    }
    return this.types.list;
  }

  private async tell({ object, state }: EvaluatedRule, failure: string | undefined): Promise<void> {
    const said: RuleState =
      failure === undefined || state.phase === 'stalled'
        ? state
        : { ...state, phase: 'progressing', reason: RULE_REASONS.registrationFailed, message: failure };
    try {
      const generation = object.metadata.generation ?? 0;
      await this.statusWriter.patch(statusRef(WATCH_RULES, object), (stored) => ({
        ...ruleStatus(stored.conditions ?? [], said, generation, Date.now()),
      }));
    } catch (error) {
      this.logger.warn({
        msg: 'the status of a rule was not written',
        rule: object.metadata.name,
        error: (error as Error).message,
      });
    }
    await this.announce(object, said);
  }

  /** An Event for each new trouble of a rule. */
  private async announce(object: KubeObject, state: RuleState): Promise<void> {
    const key = repositoryKeyText({ namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' });
    const text = state.phase === 'ready' ? '' : `${state.reason}: ${state.message}`;
    if ((this.announced.get(key) ?? '') === text) return;
    this.announced.set(key, text);
    if (text === '') return;
    const { reason, message } = state;
    await this.events.emit({ regarding: object, type: 'Warning', reason, message, action: 'Register' });
  }
}
