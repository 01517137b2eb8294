-- The sample app: to-do lists that belong to users and may be shared with others.

CREATE TABLE users (
  id text PRIMARY KEY,
  name text NOT NULL
);

CREATE TABLE lists (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  owner_id text NOT NULL REFERENCES users,
  name text NOT NULL,
  position integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX lists_owner ON lists (owner_id);

-- Who sees a list. The owner is a member too.
CREATE TABLE members (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  list_id uuid NOT NULL REFERENCES lists ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users,
  UNIQUE (list_id, user_id)
);

CREATE TABLE todos (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  list_id uuid NOT NULL REFERENCES lists ON DELETE CASCADE,
  description text NOT NULL,
  completed boolean NOT NULL DEFAULT false,
  position integer NOT NULL DEFAULT 0,
  due_on date,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX todos_list ON todos (list_id);

-- A list that a client makes has its owner as a member, without the client doing anything.
CREATE FUNCTION add_owner_as_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO members (id, list_id, user_id)
  VALUES (md5('member/' || NEW.id || '/' || NEW.owner_id)::uuid, NEW.id, NEW.owner_id)
  ON CONFLICT DO NOTHING;
  RETURN NEW;
END $$;
CREATE TRIGGER owner_is_member AFTER INSERT ON lists FOR EACH ROW EXECUTE FUNCTION add_owner_as_member();

CREATE PUBLICATION powersync FOR ALL TABLES;
