import { Injectable } from '@nestjs/common';
import type { DigestKeyPort } from '#sanitizer';

/** The key of all digests, once it was read from the operator's Secret. Nothing is captured before. */
@Injectable()
export class DigestKey implements DigestKeyPort {
  private key: Uint8Array | undefined;

  set(key: Uint8Array): void {
    this.key = key;
  }

  digestKey(): Uint8Array {
    if (this.key === undefined) throw new Error('The digest key is not there yet.');
    return this.key;
  }
}
