-- The same rows every time: ids and texts follow from names and numbers, nothing is random.

INSERT INTO users (id, name) VALUES
  ('alice', 'Alice'), ('bob', 'Bob'), ('carol', 'Carol'), ('dave', 'Dave');

INSERT INTO lists (id, owner_id, name, position, created_at)
SELECT md5(u.id || '/' || n)::uuid,
       u.id,
       (ARRAY['Groceries', 'Work', 'Garden', 'Holidays', 'Reading', 'House', 'Birthdays', 'Car',
              'Music', 'Someday'])[1 + (n - 1) % 10] || CASE WHEN n > 10 THEN ' ' || (n + 9) / 10 ELSE '' END,
       n,
       timestamptz '2026-01-01 08:00+00' + n * interval '1 day'
  FROM users u CROSS JOIN generate_series(1, 30) AS n;

-- Every tenth list is shared with everybody.
INSERT INTO members (id, list_id, user_id)
SELECT md5('member/' || l.id || '/' || u.id)::uuid, l.id, u.id
  FROM lists l CROSS JOIN users u
 WHERE l.position % 10 = 0 AND u.id <> l.owner_id;

INSERT INTO todos (id, list_id, description, completed, position, due_on, created_at)
SELECT md5('todo/' || l.id || '/' || n)::uuid,
       l.id,
       (ARRAY['Buy', 'Call about', 'Plan', 'Fix', 'Read up on', 'Order', 'Return', 'Clean'])[1 + (n + l.position) % 8]
         || ' ' ||
       (ARRAY['milk', 'the roof', 'new shoes', 'the bicycle', 'train tickets', 'paint', 'the lamp',
              'apples', 'a present', 'the tax form', 'batteries'])[1 + (n * 7 + l.position) % 11],
       (n + l.position) % 3 = 0,
       n,
       CASE WHEN n % 4 = 0 THEN date '2026-02-01' + n + l.position END,
       timestamptz '2026-01-01 09:00+00' + (l.position * 60 + n) * interval '1 minute'
  FROM lists l CROSS JOIN generate_series(1, 30) AS n;
