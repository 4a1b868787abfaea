import { createReadStream } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeTempDir, removeTempDir } from '../lib/temp-dir.ts';

/** The API server's own audit log: it says of each request whether a webhook's call failed open. */
export interface AuditLog {
  /** Flags for kube-apiserver. */
  readonly args: string[];
  /** Audit ids of the requests of which a call to this webhook failed open, and so was not heard. */
  failedOpen(webhook: string): Promise<Set<string>>;
  remove(): Promise<void>;
}

const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] }, { level: 'None' }],
};
const FAILED_OPEN = 'failed-open.validating.webhook.admission.k8s.io/';

export async function makeAuditLog(): Promise<AuditLog> {
  const dir = await makeTempDir('audit');
  const log = join(dir, 'audit.log');
  const policy = join(dir, 'policy.json');
  await writeFile(policy, JSON.stringify(POLICY));
  return {
    args: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, '--audit-log-mode=blocking'],
    failedOpen: async (webhook) => {
      const ids = new Set<string>();
      for await (const line of linesIn(dir)) {
        if (!line.includes(FAILED_OPEN)) continue;
        const event = JSON.parse(line) as AuditEvent;
        if (failedOpenFor(event, webhook)) ids.add(event.auditID);
      }
      return ids;
    },
    remove: () => removeTempDir(dir),
  };
}

interface AuditEvent {
  auditID: string;
  annotations?: Record<string, string>;
}

/** Of all log files: the API server begins a new one after 100 MiB, whatever it is asked for. */
async function* linesIn(dir: string): AsyncGenerator<string> {
  for (const name of (await readdir(dir)).filter((each) => each.endsWith('.log'))) {
    yield* createInterface({ input: createReadStream(join(dir, name)), crlfDelay: Infinity });
  }
}

function failedOpenFor({ annotations = {} }: AuditEvent, webhook: string): boolean {
  return Object.entries(annotations).some(([name, value]) => name.startsWith(FAILED_OPEN) && value.includes(webhook));
}
