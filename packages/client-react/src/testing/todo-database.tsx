import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  column,
  createQueryStore,
  Schema,
  Table,
  type QueryStore,
  type QueryStoreOptions,
  type SluiceDatabase,
} from '@sluice/client';
import { openDatabase, type OpenDatabaseOptions } from '@sluice/client-node';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect } from 'vitest';
import { SluiceProvider } from '../sluice-context.tsx';

export const TABLES = {
  todos: new Table({
    list_id: column.text,
    title: column.text.notNull(),
    done: column.boolean,
    due: column.date,
  }),
  lists: new Table({ name: column.text }),
};

export interface Todo {
  readonly id: string;
  readonly title: string;
}

export const TITLES = 'SELECT id, title FROM todos ORDER BY title';

/** A real database in a file of its own, for one test. Queries are let go of after `graceMs` of 30 ms, if not told otherwise. */
export interface TodoDatabase {
  readonly db: SluiceDatabase;
  readonly store: QueryStore;
  /** What nobody was told of; a test that expects some empties it. */
  readonly problems: unknown[];
  /** SQL of the queries that were begun to be watched, in order. */
  readonly watched: string[];
  /** Puts the provider around it. */
  readonly within: (children: ReactNode) => ReactNode;
  readonly add: (...titles: readonly string[]) => Promise<void>;
  /** With the same tables, and nothing in them. */
  readonly openAnother: () => Promise<SluiceDatabase>;
}

export function useTodoDatabase(
  options: Partial<OpenDatabaseOptions> & { readonly times?: QueryStoreOptions } = {},
): TodoDatabase {
  // React shows what had suspended 300 ms after it has rendered it, and later on a busy machine.
  const { times = { graceMs: 30, holdMs: 2000 }, ...rest } = options;
  const problems: unknown[] = [];
  const watched: string[] = [];
  let dir = '';
  const opened: SluiceDatabase[] = [];
  const openFile = async () => {
    const onProblem = (problem: unknown) => void problems.push(problem);
    const file = path.join(dir, `app-${opened.length}.sqlite`);
    const db = await openDatabase({
      file,
      schema: new Schema(TABLES),
      onProblem,
      thread: 'caller',
      ...rest,
    });
    opened.push(db);
    return db;
  };
  let open: { readonly db: SluiceDatabase; readonly store: QueryStore } | undefined;
  const current = () => {
    if (open === undefined) throw new Error('The database is there inside tests');
    return open;
  };

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sluice-react-'));
    const db = await openFile();
    const onProblem = (problem: unknown) => void problems.push(problem);
    open = { db, store: createQueryStore(noting(db, watched), { ...times, onProblem }) };
    problems.length = 0;
    watched.length = 0;
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((db) => db.close()));
    rmSync(dir, { recursive: true });
    expect(problems).toEqual([]);
  });

  return {
    problems,
    watched,
    get db() {
      return current().db;
    },
    get store() {
      return current().store;
    },
    within: (children) => (
      <SluiceProvider database={current().db} store={current().store}>
        {children}
      </SluiceProvider>
    ),
    openAnother: openFile,
    add: async (...titles) => {
      const rows = titles.map((title) => [title, title]);
      await current().db.executeBatch('INSERT INTO todos (id, title) VALUES (?, ?)', rows);
    },
  };
}

/** The same database, which notes what is watched. */
function noting(db: SluiceDatabase, watched: string[]): SluiceDatabase {
  const query: SluiceDatabase['query'] = (description) => {
    watched.push(description.sql);
    return db.query(description);
  };
  return new Proxy(db, {
    get: (target, name) => {
      if (name === 'query') return query;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
