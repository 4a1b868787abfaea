import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { waitFor } from '../lib/wait-for.ts';
import type { KubeUser, ObjectName } from './kube-user.ts';

/** Reads every object of a YAML text. */
function parseManifests(text: string): ObjectName[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const object = document.toJS() as ObjectName | null;
    return object === null ? [] : [object];
  });
}

/** Applies the CustomResourceDefinitions of a folder and waits until the API server serves them. */
export async function installCrds(admin: KubeUser, folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => /\.ya?ml$/.test(file));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const crds = texts.flatMap(parseManifests);
  if (crds.length === 0) throw new Error(`${folder} holds no CustomResourceDefinition`);
  await Promise.all(crds.map((crd) => installCrd(admin, crd)));
}

interface LiveCrd {
  spec: { group: string; names: { kind: string }; versions: { name: string; served: boolean }[] };
  status?: { conditions?: { type: string; status: string }[] };
}

/** Applies one CustomResourceDefinition and waits until objects of its kind can be listed in every served version. */
export async function installCrd(admin: KubeUser, crd: ObjectName): Promise<void> {
  await admin.apply(crd, { force: true });
  await waitFor(`the CustomResourceDefinition ${crd.metadata.name} to be established`, async () => {
    const { spec, status } = await admin.get<LiveCrd>(crd);
    const established = status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
    if (established !== true) return false;
    for (const { name, served } of spec.versions) {
      if (served) await admin.list({ apiVersion: `${spec.group}/${name}`, kind: spec.names.kind });
    }
    return true;
  });
}
