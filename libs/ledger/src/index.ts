export * from './proof.ts';
export { proveObject } from './prove-object.ts';
