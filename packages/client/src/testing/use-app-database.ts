import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { DatabaseConnector, SluiceDatabase } from '../facade/sluice-database.ts';
import { column } from '../schema/column.ts';
import { Schema } from '../schema/schema.ts';
import { Table } from '../schema/table.ts';
import type { AppDatabaseKind } from './app-databases.ts';
import { ScriptedService } from './scripted-service.ts';

export const APP_TABLES = {
  lists: new Table({ name: column.text, owner_id: column.text }),
  todos: new Table(
    { list_id: column.text, title: column.text, qty: column.integer },
    { fullText: { columns: ['title'] } },
  ),
  drafts: Table.createLocalOnly({ body: column.text }),
};

/** A database in a file of its own and a scripted service, for one test. */
export interface AppScene {
  readonly db: SluiceDatabase;
  readonly service: ScriptedService;
  /** What nobody was told of; a test that expects some empties it. */
  readonly problems: unknown[];
  /** Signs in, and uploads transaction by transaction. */
  readonly connector: DatabaseConnector;
  /** Of the lists, in order. */
  readonly names: () => Promise<readonly unknown[]>;
}

export function useAppDatabase(kind: AppDatabaseKind): AppScene {
  const problems: unknown[] = [];
  let open: { dir: string; service: ScriptedService; db: SluiceDatabase } | undefined;
  const current = () => {
    if (open === undefined) throw new Error('The database is there inside tests');
    return open;
  };

  beforeEach(async () => {
    problems.length = 0;
    const dir = mkdtempSync(path.join(tmpdir(), 'sluice-app-'));
    const service = new ScriptedService();
    const db = await kind.open({
      file: path.join(dir, 'app.sqlite'),
      schema: new Schema(APP_TABLES),
      fetch: service.fetch,
      onProblem: (problem) => problems.push(problem),
    });
    open = { dir, service, db };
  });

  afterEach(async () => {
    await current().db.close();
    rmSync(current().dir, { recursive: true });
    expect(problems).toEqual([]);
  });

  return {
    problems,
    get db() {
      return current().db;
    },
    get service() {
      return current().service;
    },
    connector: {
      fetchCredentials: () => Promise.resolve({ endpoint: 'http://service', token: 'token' }),
      uploadData: async (database) => {
        await (await database.getNextCrudTransaction())?.complete();
      },
    },
    names: async () => {
      const rows = await current().db.getAll('SELECT name FROM lists ORDER BY name');
      return rows.map(({ name }) => name);
    },
  };
}
