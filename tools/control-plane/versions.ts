import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The programs of a control plane, and the Go module and package that each is built from. */
export const PROGRAMS = {
  'kube-apiserver': {
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kube-apiserver',
    required: 'k8s.io/kubernetes',
  },
  etcd: { module: 'etcd', package: 'go.etcd.io/etcd/server/v3', required: 'go.etcd.io/etcd/server/v3' },
  kubectl: { module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kubectl', required: 'k8s.io/kubernetes' },
} as const;
export type Program = keyof typeof PROGRAMS;

/** Where the go.mod that pins a program lies. */
export function goModuleFolder(program: Program): string {
  return join(import.meta.dirname, 'go', PROGRAMS[program].module);
}

/** The version that go.mod pins, such as `1.36.3`: the only place that names it. */
export function pinnedVersion(program: Program): string {
  const required = PROGRAMS[program].required.replaceAll('.', '\\.');
  const goMod = readFileSync(join(goModuleFolder(program), 'go.mod'), 'utf8');
  const version = new RegExp(`^(?:require )?\\s*${required} v(\\S+)`, 'm').exec(goMod)?.[1];
  if (version === undefined) throw new Error(`${goModuleFolder(program)}/go.mod pins no version of ${required}`);
  return version;
}
