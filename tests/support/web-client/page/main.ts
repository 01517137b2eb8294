import {
  column,
  openDatabase,
  requestPersistence,
  Schema,
  Table,
  type WebDatabase,
} from '@sluice/client-web';

const tables = {
  lists: new Table({ name: column.text }),
  todos: new Table({ list_id: column.text, title: column.text, done: column.integer }),
};

/** What tests call in the page. */
class App {
  db: WebDatabase | undefined;
  readonly problems: { readonly code: unknown; readonly message: string }[] = [];
  readonly requestPersistence = requestPersistence;

  async open(name: string): Promise<string> {
    this.db = await openDatabase({
      name,
      schema: new Schema(tables),
      onProblem: (problem) =>
        this.problems.push({
          code: (problem as { code?: unknown }).code,
          message: String(problem),
        }),
    });
    return this.db.storage;
  }

  get opened(): WebDatabase {
    if (this.db === undefined) throw new Error('The database is not open');
    return this.db;
  }
}

declare global {
  var app: App;
}

globalThis.app = new App();
