import type { KubeUser, LiveObject } from '../kube/kube-user.ts';
import type { ExpectedCommit } from './expected-commit.ts';
import { NAMESPACE, type Stage } from './stage.ts';

/** What the commit must be, apart from what the step says already; `undefined`: there must be none. */
type Outcome = Pick<ExpectedCommit, 'operation' | 'resourceVersion'> &
  Partial<Pick<ExpectedCommit, 'contains' | 'lacks'>> & { object: { kind: string; metadata: { name: string } } };

export interface Step {
  user: string;
  /** A person with a clone, whom the cluster does not know. */
  inGit?: boolean;
  /** What a person would type. */
  command: string;
  /** Why there is no commit, where there must be none. */
  without?: string;
  act: (user: KubeUser, stage: Stage) => Promise<Outcome | undefined>;
}

const metadata = (name: string): { namespace: string; name: string } => ({ namespace: NAMESPACE, name });
const appConfig = { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('app-config') };
const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadata('web') };
const credentials = { apiVersion: 'v1', kind: 'Secret', metadata: metadata('database') };
const service = { apiVersion: 'v1', kind: 'Service', metadata: metadata('web') };

/** Never in Git, in no encoding that a Secret knows. */
export const PASSWORD = 'correct-horse-battery-staple';
const README = '# Production\n\nWhat runs here, and who changed it.\n';

const versionOf = (object: LiveObject): string => object.metadata.resourceVersion;

/** In this order; each waits for the commit of the one before. */
export const STORY: Step[] = [
  {
    user: 'alice',
    command: 'kubectl create configmap app-config --from-literal=LOG_LEVEL=info --from-literal=REGION=eu-west-1',
    act: async (user) => {
      const live = await user.create({ ...appConfig, data: { LOG_LEVEL: 'info', REGION: 'eu-west-1' } });
      const contains = ['LOG_LEVEL: info', 'REGION: eu-west-1'];
      return { object: live, operation: 'CREATE', resourceVersion: versionOf(live), contains, lacks: ['uid:'] };
    },
  },
  {
    user: 'admin@company.com',
    command: 'kubectl edit configmap app-config    # LOG_LEVEL: debug',
    act: async (user) => {
      const live = await user.patch(appConfig, { data: { LOG_LEVEL: 'debug' } });
      const contains = ['LOG_LEVEL: debug', 'REGION: eu-west-1'];
      return { object: live, operation: 'UPDATE', resourceVersion: versionOf(live), contains };
    },
  },
  {
    user: 'alice',
    command: 'kubectl create deployment web --image=nginx:1.29 --replicas=2',
    act: async (user) => {
      const labels = { app: 'web' };
      const template = { metadata: { labels }, spec: { containers: [{ name: 'nginx', image: 'nginx:1.29' }] } };
      const live = await user.create({ ...web, spec: { replicas: 2, selector: { matchLabels: labels }, template } });
      const contains = ['replicas: 2', 'image: nginx:1.29'];
      const lacks = ['status:', 'managedFields', 'resourceVersion'];
      return { object: live, operation: 'CREATE', resourceVersion: versionOf(live), contains, lacks };
    },
  },
  {
    user: 'bob@example.com',
    command: 'kubectl scale deployment web --replicas=5',
    act: async (user) => {
      await user.scale(web, 5);
      const live = await user.get(web);
      const contains = ['replicas: 5', 'image: nginx:1.29'];
      return { object: live, operation: 'UPDATE', resourceVersion: versionOf(live), contains };
    },
  },
  {
    user: 'carol',
    command: 'kubectl create secret generic database --from-literal=password=…',
    act: async (user) => {
      const live = await user.create({ ...credentials, stringData: { username: 'app', password: PASSWORD } });
      const contains = ['password:', 'username:', /redacted/i];
      const lacks = [PASSWORD, Buffer.from(PASSWORD).toString('base64')];
      return { object: live, operation: 'CREATE', resourceVersion: versionOf(live), contains, lacks };
    },
  },
  {
    user: 'dave@example.com',
    command: 'kubectl create service clusterip web --tcp=80',
    without: 'a quota rejected it after the webhook was called: it was never stored',
    act: async (user) => {
      const answer = await user.create({ ...service, spec: { ports: [{ port: 80 }] } }).catch((error: Error) => error);
      if (!(answer instanceof Error && answer.message.includes('exceeded quota'))) {
        throw new Error('The quota did not reject the Service');
      }
      return undefined;
    },
  },
  {
    user: 'bob@example.com',
    command: 'kubectl delete deployment web --dry-run=server',
    without: 'a dry run changes nothing',
    act: async (user) => {
      await user.delete(web, { dryRun: true });
      return undefined;
    },
  },
  {
    user: 'Pat',
    inGit: true,
    command: 'git commit -m "Describe the folder" README.md && git push',
    act: async (_user, { remote }) => {
      await remote.commitAsPerson({ message: 'Describe the folder', files: { 'README.md': README } });
      return undefined;
    },
  },
  {
    user: 'bob@example.com',
    command: "kubectl label configmap app-config team=payments    # lands on top of Pat's commit",
    act: async (user, { remote }) => {
      const live = await user.patch(appConfig, { metadata: { labels: { team: 'payments' } } });
      if ((await remote.read('README.md')) !== README) throw new Error("Pat's file is not as Pat left it");
      const contains = ['team: payments', 'LOG_LEVEL: debug'];
      return { object: live, operation: 'UPDATE', resourceVersion: versionOf(live), contains };
    },
  },
  {
    user: 'admin@company.com',
    command: 'kubectl delete configmap app-config',
    act: async (user) => {
      const live = await user.get(appConfig);
      await user.delete(appConfig);
      return { object: live, operation: 'DELETE', resourceVersion: versionOf(live) };
    },
  },
];
