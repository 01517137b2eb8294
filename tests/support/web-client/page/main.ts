import {
  column,
  openDatabase,
  requestPersistence,
  Schema,
  Table,
  type IntegerMode,
  type WaitingTransaction,
  type WebDatabase,
} from '@sluice/client-web';

declare global {
  var app: App;
  /** What the test gives the page. */
  var tokenOf: (user: string) => Promise<string>;
  var upload: (user: string, body: string) => Promise<void>;
}

const TABLES = {
  notes: new Table({ owner_id: column.text, body: column.text, stars: column.integer }),
};

/** What tests call in the page. */
class App {
  readonly requestPersistence = requestPersistence;
  /** Codes of what `onProblem` heard. */
  readonly problems: string[] = [];
  #db: WebDatabase | undefined;

  get db(): WebDatabase {
    if (this.#db === undefined) throw new Error('The database is not open');
    return this.#db;
  }

  async open(
    name: string,
    {
      maxBusyMs,
      integerMode,
    }: { readonly maxBusyMs?: number; readonly integerMode?: IntegerMode } = {},
  ): Promise<void> {
    this.#db = await openDatabase({
      ...(maxBusyMs !== undefined && { maxBusyMs }),
      name,
      schema: new Schema(TABLES, { integerMode }),
      development: true,
      onProblem: (problem) => this.problems.push(codeOf(problem)),
    });
  }

  async connect(endpoint: string, user: string): Promise<void> {
    await this.db.connect(
      {
        fetchCredentials: async () => ({ endpoint, token: await tokenOf(user) }),
        uploadData: async (database) => {
          const transaction = await database.getNextCrudTransaction();
          if (transaction === null) return;
          await upload(user, bodyOf(transaction));
          await transaction.complete();
        },
      },
      { uploadThrottleMs: 10 },
    );
  }

  /** Resolves when the write is acknowledged. */
  async write(id: string, body: string): Promise<void> {
    const insert = 'INSERT INTO notes (id, owner_id, body, stars) VALUES (?, ?, ?, 0)';
    await this.db.execute(insert, [id, 'ann', body]);
  }

  async ids(like: string): Promise<readonly string[]> {
    const rows = await this.db.getAll('SELECT id FROM notes WHERE id LIKE ? ORDER BY id', [like]);
    return rows.map(({ id }) => String(id));
  }
}

function bodyOf({ crud }: WaitingTransaction): string {
  const batch = crud.map(({ clientId, op, table, id, opData }) => ({
    op_id: clientId,
    op,
    table,
    id,
    data: opData ?? {},
  }));
  return JSON.stringify({ batch });
}

function codeOf(problem: unknown): string {
  const { code } = problem as { readonly code?: unknown };
  return typeof code === 'string' ? code : String(problem);
}

globalThis.app = new App();
