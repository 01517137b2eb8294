// Runs thread-entry.ts where nothing was built: in tests and in development. A thread does not
// inherit the loader of TypeScript from its parent, so it registers its own.
import { register } from 'tsx/esm/api';

register();
await import('./thread-entry.ts');
