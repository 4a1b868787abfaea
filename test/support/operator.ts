export { OPERATOR_NAMESPACE, startOperator } from '../../tools/operator/index.ts';
export type { LogEntry, Operator, OperatorOptions } from '../../tools/operator/index.ts';
