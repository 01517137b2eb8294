import { column, Schema, Table } from '@powersync/common';

const { text, integer, real } = column;

/** The tables of the clients; those of sample-world.ts first, then those of client-world.ts. */
export const APP_SCHEMA = new Schema({
  lists: new Table({ name: text }),
  todos: new Table({
    list_id: text,
    title: text,
    done: integer,
    qty: integer,
    price: text,
    ratio: real,
    tags: text,
    meta: text,
  }),
  notes: new Table({ owner_id: text, body: text, stars: integer }),
  log_lines: new Table({ line: text, user_id: text }),
  catalog: new Table({ sku: text, region: text, name: text }),
  samples: new Table({
    owner_id: text,
    big: integer,
    small: integer,
    flag: integer,
    ratio: real,
    price: text,
    body: text,
    photo: text,
    bytes: text,
    uid: text,
    at: text,
    tags: text,
    meta: text,
  }),
  tasks: new Table({ list_id: text, title: text, done: integer }),
  bulk: new Table({ owner_id: text, n: integer, label: text }),
  extras: new Table({ label: text }),
});
