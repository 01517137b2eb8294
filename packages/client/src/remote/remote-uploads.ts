import type { IntegerMode } from '../driver/integer-mode.ts';
import type { EntryOutcome } from '../crud/outcomes.ts';
import type { Complete, QueueFigures } from '../crud/upload-queue.ts';
import type { BatchRequest, EntryRange, UploadAccess } from '../facade/upload-access.ts';
import type { UploadResult } from '../upload/upload-loop.ts';
import type { HostLink } from './host-link.ts';

/** The upload queue at the host. */
export class RemoteUploads implements UploadAccess {
  readonly #link: HostLink;
  readonly #checkOutside: () => void;

  /** `checkOutside` throws inside a transaction that writes. */
  constructor(link: HostLink, checkOutside: () => void) {
    this.#link = link;
    this.#checkOutside = checkOutside;
  }

  async batch(request: BatchRequest): ReturnType<UploadAccess['batch']> {
    this.#checkOutside();
    return this.#link.call('crudBatch', [request]);
  }

  async transactionAfter(
    clientId: number,
    integers?: IntegerMode,
  ): ReturnType<UploadAccess['transactionAfter']> {
    this.#checkOutside();
    return this.#link.call('crudAfter', [clientId, integers]);
  }

  /** Also while the database closes: what the backend has should not be sent again. */
  async complete(lastId: number, ...parameters: Parameters<Complete>): Promise<void> {
    this.#checkOutside();
    await this.#link.call('crudComplete', [lastId, parameters], { lastWords: true });
  }

  /** Also while the database closes. */
  async settle(
    range: EntryRange,
    outcomes: readonly (readonly [number, EntryOutcome])[],
  ): Promise<UploadResult> {
    this.#checkOutside();
    return this.#link.call('crudSettle', [range, outcomes], { lastWords: true });
  }

  async requeue(clientIds: readonly number[]): Promise<void> {
    this.#checkOutside();
    await this.#link.write('requeue', (call) => [clientIds, call]);
  }

  async discard(clientIds: readonly number[]): Promise<void> {
    this.#checkOutside();
    await this.#link.write('discard', (call) => [clientIds, call]);
  }

  async stats(withSize: boolean): Promise<QueueFigures> {
    this.#checkOutside();
    return this.#link.call('crudStats', [withSize]);
  }
}
