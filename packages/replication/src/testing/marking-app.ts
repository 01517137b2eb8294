import { userKeyOf, type SourcePosition } from '@sluice/model';
import type { SeededRandom, SimulatedDatabase } from '@sluice/testing';

type Writer = Parameters<Parameters<SimulatedDatabase['transaction']>[0]>[0];

const USERS = ['ann', 'bob', 'cleo'];
const CLIENTS = ['phone', 'desk', null];

/** Every key that write checkpoints may be kept under. */
export const USER_KEYS = USERS.flatMap((user) =>
  CLIENTS.map((client) => userKeyOf(user, client ?? undefined)),
);

/** A config that takes write checkpoints from `marks` and `mark_log`. */
export function markingConfig(options: { streams?: string; where?: string } = {}): string {
  const payload = (table: string) =>
    `      - SELECT user_id, checkpoint, client_id FROM ${table} ${options.where ?? ''}\n`;
  return `config:\n  edition: 3\nstreams:\n  notes:\n    auto_subscribe: true\n    query: SELECT id, owner, text FROM notes\n${
    options.streams ?? ''
  }event_definitions:\n  write_checkpoints:\n    payloads:\n${payload('marks')}${payload('mark_log')}`;
}

/** What the test is to compare with: the greatest number of every user and client so far. */
type Greatest = ReadonlyMap<string, bigint>;

/**
 * An app that writes rows together with write checkpoints: some in a table with a row per client,
 * some appended to a table without a key.
 */
export class MarkingApp {
  readonly #database: SimulatedDatabase;
  readonly #random: SeededRandom;
  readonly #history: { readonly position: SourcePosition; readonly greatest: Greatest }[] = [];
  #greatest = new Map<string, bigint>();
  #nextRow = 1;

  constructor(database: SimulatedDatabase, random: SeededRandom) {
    this.#database = database;
    this.#random = random;
    database.createTable('marks', ['id', 'user_id', 'client_id', 'checkpoint']);
    database.createTable('mark_log', ['user_id', 'client_id', 'checkpoint'], true);
  }

  /** The greatest numbers whose rows were committed at or before a position. */
  greatestAt(position: SourcePosition): Greatest {
    return this.#history.findLast((one) => one.position <= position)?.greatest ?? new Map();
  }

  /** One transaction. `onlyRises`: no row goes and no number falls. */
  write({ onlyRises }: { readonly onlyRises: boolean }): void {
    const random = this.#random;
    this.#database.transaction((writer) => {
      for (let count = 1 + random.int(4); count > 0; count -= 1) {
        const dice = onlyRises ? random.next() * 0.6 : random.next();
        if (dice < 0.25) this.#upsert(writer, onlyRises);
        else if (dice < 0.5) this.#append(writer);
        else if (dice < 0.6) this.#note(writer);
        else this.#take(writer, dice);
      }
    });
    const greatest = new Map(this.#greatest);
    this.#history.push({ position: this.#database.head, greatest });
  }

  #upsert(writer: Writer, onlyRises: boolean): void {
    const random = this.#random;
    const rows = this.#database.rows('marks');
    const at = random.int(rows.length + 1);
    const [id = null, user = null, client = null, checkpoint = null] = rows[at] ?? this.#newMark();
    const before = BigInt(String(checkpoint));
    const low = onlyRises ? Number(before) : 1;
    const value = String(low + random.int(20));
    const row = [id, user, client, value];
    if (rows[at] === undefined) writer.insert('marks', row);
    else writer.update('marks', at, row);
    this.#note(writer);
    this.#raise(String(user), client === null ? undefined : String(client), BigInt(value));
  }

  #newMark() {
    const { user, client } = this.#somebody();
    return [`m${this.#nextRow++}`, user, client, '1'] as const;
  }

  #append(writer: Writer): void {
    const { user, client } = this.#somebody();
    const key = userKeyOf(user, client ?? undefined);
    const value = (this.#greatest.get(key) ?? 0n) + BigInt(this.#random.int(6)) - 2n;
    if (value < 1n) return;
    writer.insert('mark_log', [user, client, String(value)]);
    this.#raise(user, client ?? undefined, value);
  }

  #note(writer: Writer): void {
    writer.insert('notes', [`n${this.#nextRow++}`, this.#random.pick(USERS), 'text']);
  }

  #take(writer: Writer, dice: number): void {
    const table = this.#random.pick(['marks', 'mark_log']);
    const rows = this.#database.rows(table);
    if (dice > 0.97) writer.truncate(table);
    else if (rows.length > 0) writer.delete(table, this.#random.int(rows.length));
  }

  #somebody() {
    return { user: this.#random.pick(USERS), client: this.#random.pick(CLIENTS) };
  }

  #raise(user: string, client: string | undefined, value: bigint): void {
    const key = userKeyOf(user, client);
    if (value > (this.#greatest.get(key) ?? 0n)) this.#greatest.set(key, value);
  }
}
