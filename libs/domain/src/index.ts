export * from './attempt.ts';
export * from './change.ts';
export * from './coded-error.ts';
export * from './kube-object.ts';
export * from './object-ref.ts';
export * from './repository.ts';
