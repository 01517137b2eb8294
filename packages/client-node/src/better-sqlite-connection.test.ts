import { registerConnectionConformance } from '@sluice/client/conformance';
import { openConnection } from './open-connection.ts';

registerConnectionConformance({
  name: 'better-sqlite3',
  open: async () => openConnection(':memory:'),
});
