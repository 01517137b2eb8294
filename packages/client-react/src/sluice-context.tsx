import {
  ClientError,
  createQueryStore,
  type QueryStore,
  type SluiceDatabase,
} from '@sluice/client';
import { createContext, useContext, type ReactNode } from 'react';

const SluiceContext = createContext<QueryStore | null>(null);
const stores = new WeakMap<SluiceDatabase, QueryStore>();

export interface SluiceProviderProps {
  readonly database: SluiceDatabase;
  /** Instead of the one that all providers of the database share; of the same database. */
  readonly store?: QueryStore | undefined;
  readonly children?: ReactNode;
}

/** Gives the components below it their database. Another database starts every query anew, with nothing of the one before. */
export function SluiceProvider({ database, store, children }: SluiceProviderProps): ReactNode {
  const value = store ?? storeOf(database);
  return <SluiceContext.Provider value={value}>{children}</SluiceContext.Provider>;
}

/**
 * The cache behind the hooks.
 *
 * @throws ClientError `PROVIDER`
 */
export function useQueryStore(): QueryStore {
  const store = useContext(SluiceContext);
  if (store !== null) return store;
  throw new ClientError(
    'PROVIDER',
    'There is no database here: put <SluiceProvider database={...}> around the component',
  );
}

/** @throws ClientError `PROVIDER` */
export function useDatabase(): SluiceDatabase {
  return useQueryStore().database;
}

/** Kept outside React, which forgets what components hold that suspend before they are first shown. */
function storeOf(database: SluiceDatabase): QueryStore {
  const known = stores.get(database);
  if (known !== undefined) return known;
  const store = createQueryStore(database);
  stores.set(database, store);
  return store;
}
