import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  rules: [{ level: 'Metadata' }],
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
      const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes(FAILED_OPEN));
      const events = lines.map((line) => JSON.parse(line) as AuditEvent);
      return new Set(events.filter((event) => failedOpenFor(event, webhook)).map(({ auditID }) => auditID));
    },
    remove: () => removeTempDir(dir),
  };
}

interface AuditEvent {
  auditID: string;
  annotations?: Record<string, string>;
}

function failedOpenFor({ annotations = {} }: AuditEvent, webhook: string): boolean {
  return Object.entries(annotations).some(([name, value]) => name.startsWith(FAILED_OPEN) && value.includes(webhook));
}
