// Syncs one user's lists, adds a to-do if you name one, and prints every change until Ctrl-C.
import { column, PowerSyncDatabase, Schema, Table } from '@powersync/node';

const endpoint = process.env.SLUICE_URL ?? 'http://localhost:8080';
const uploadUrl = process.env.UPLOAD_URL ?? 'http://localhost:8080/upload';
const token = process.env.TOKEN ?? ''; // from: npx sluice token --user alice

const schema = new Schema({
  lists: new Table({ owner_id: column.text, name: column.text, position: column.integer }),
  todos: new Table({ list_id: column.text, description: column.text, completed: column.integer }),
});
const dbFilename = process.env.DB_FILE ?? 'client.sqlite';
const db = new PowerSyncDatabase({ schema, database: { dbFilename } });

await db.connect({
  fetchCredentials: async () => ({ endpoint, token }),
  uploadData: async (database) => {
    const transaction = await database.getNextCrudTransaction();
    if (transaction === null) return;
    const response = await fetch(uploadUrl, {
      method: 'POST',
      headers: { authorization: `Token ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ crud: transaction.crud }),
    });
    if (!response.ok) throw new Error(`The upload failed: ${response.status}`); // tried again later
    const { results } = await response.json();
    for (const { status, message } of results) if (status === 'rejected') console.warn(message);
    await transaction.complete();
  },
});
await db.waitForFirstSync();

const list = await db.get('SELECT id, name FROM lists WHERE position = 1');
const description = process.argv[2];
if (description !== undefined) {
  const insert = 'INSERT INTO todos (id, list_id, description, completed) VALUES (uuid(), ?, ?, 0)';
  await db.execute(insert, [list.id, description]);
}

process.once('SIGINT', () => db.close().then(() => process.exit()));
const summary = `SELECT l.name, count(t.id) AS todos, sum(t.completed) AS done
  FROM lists l JOIN todos t ON t.list_id = l.id WHERE l.id = ?`;
for await (const { rows } of db.watch(summary, [list.id])) {
  const { name, todos, done } = rows.item(0);
  console.log(
    `${name}: ${done} of ${todos} done; ${(await db.getUploadQueueStats()).count} to upload`,
  );
}
