export { waitFor } from '../../tools/lib/wait-for.ts';
