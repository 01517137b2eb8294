import { column, Schema, Table, type StoredRow } from '@sluice/client-web';

const { text, integer } = column;

const users = new Table({ name: text });

const lists = new Table(
  { owner_id: text, name: text, position: integer, created_at: text },
  { indexes: { by_position: ['position'] } },
);

const members = new Table(
  { list_id: text, user_id: text },
  { indexes: { of_list: ['list_id', 'user_id'] } },
);

const todos = new Table(
  { list_id: text, description: text, completed: integer, position: integer, created_at: text },
  { indexes: { of_list: ['list_id', 'position'] } },
);

/** What the backend refused, with the reason. The backend writes it; here it is read, and deleted once it was seen. */
const rejected_writes = new Table({
  table_name: text,
  row_id: text,
  op: text,
  message: text,
  created_at: text,
});

export const schema = new Schema({ users, lists, members, todos, rejected_writes });

export type User = StoredRow<typeof users>;
export type List = StoredRow<typeof lists>;
export type Todo = StoredRow<typeof todos>;
export type RejectedWrite = StoredRow<typeof rejected_writes>;
