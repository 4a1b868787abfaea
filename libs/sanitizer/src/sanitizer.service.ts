import { Inject, Injectable } from '@nestjs/common';
import type { KubeObject, StateDigest } from '#domain';
import { DIGEST_KEY } from './digest-key.port.ts';
import type { DigestKeyPort } from './digest-key.port.ts';
import { digestState } from './digest-state.ts';
import { renderManifest } from './render-manifest.ts';
import { sanitizeManifest } from './sanitize-manifest.ts';

export interface SanitizedState {
  /** The file's text, UTF-8, ending with one newline. */
  content: string;
  digest: StateDigest;
}

/** The sanitizer with the operator's key. */
@Injectable()
export class SanitizerService {
  constructor(@Inject(DIGEST_KEY) private readonly key: DigestKeyPort) {}

  /** The file and the digests of one state of an object, as the API server sent it. Throws {@link SanitizerError}. */
  sanitize(object: KubeObject): SanitizedState {
    const digestKey = this.key.digestKey();
    const content = renderManifest(sanitizeManifest(object, { digestKey }));
    return { content, digest: digestState(object, content, digestKey) };
  }
}
