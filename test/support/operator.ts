export { OPERATOR_NAMESPACE, startOperator } from '../../tools/operator/index.ts';
export type { Operator, OperatorOptions } from '../../tools/operator/index.ts';
