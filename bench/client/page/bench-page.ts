import type { Figure } from '../../harness.ts';
import type { Access, BenchedClient } from '../benched-client.ts';
import { addPadding, firstQuery, measureLocal, measureSync } from '../workload.ts';

declare global {
  /** What the bench calls in the page. */
  var benchPage: BenchPage;
}

export type OpenClient = (options: OpenClientOptions) => Promise<BenchedClient>;

export interface OpenClientOptions {
  readonly access: Access;
  readonly name: string;
  /** One of the other client's file systems. */
  readonly vfs: string;
}

/** One client in a page. */
export class BenchPage {
  readonly #openClient: OpenClient;
  #client: BenchedClient | undefined;

  constructor(openClient: OpenClient) {
    this.#openClient = openClient;
  }

  async open(options: OpenClientOptions): Promise<void> {
    this.#client = await this.#openClient(options);
  }

  sync(rows: number): Promise<Figure[]> {
    return measureSync(this.#open, rows);
  }

  local(rows: number, inserts: number): Promise<Figure[]> {
    return measureLocal(this.#open, { rows, inserts });
  }

  async padAndClose(megabytes: number): Promise<void> {
    await addPadding(this.#open, megabytes);
    await this.#open.close();
  }

  /** In a page that was loaded anew. */
  async coldStart(options: OpenClientOptions): Promise<Figure> {
    const startedAt = performance.now();
    await this.open(options);
    await firstQuery(this.#open);
    const value = performance.now() - startedAt;
    await this.#open.close();
    return { name: 'cold start to the first rows', unit: 'ms', value, higherIsBetter: false };
  }

  get #open(): BenchedClient {
    if (this.#client === undefined) throw new Error('No client is open');
    return this.#client;
  }
}
