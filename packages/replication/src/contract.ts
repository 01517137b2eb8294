import type { Clock, Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import type { BucketStorage } from '@sluice/storage';
import type { ReplicationLimits } from './limits.ts';
import type { ReplicationStatus } from './status.ts';

export interface ReplicationOptions {
  readonly source: ChangeSource;
  readonly storage: BucketStorage;
  /**
   * The text of a config file (YAML), which is deployed if it is another one than was taken up last,
   * so that going back survives a restart; undefined: go on with what was deployed before, or wait
   * for a first `deploy`.
   */
  readonly configText: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onStatus?: ((status: ReplicationStatus) => void) | undefined;
  readonly limits?: Partial<ReplicationLimits> | undefined;
}

/** Replicates a source into storage, and takes up other sync configs while it runs (design D7). */
export interface Replication {
  /**
   * Runs until the signal aborts, which resolves. Rejects with what ended it; calling again continues
   * from what is durable.
   *
   * @throws AppError; `CONFIG_SYNC_INVALID` when the wanted config has errors and nothing is active.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Makes a sync config the wanted one. Resolves once that is durable: its new definitions are then
   * filled while the old config serves, and it takes over at one checkpoint. Deploying again replaces
   * what is being filled; deploying what serves already calls that off. Requests are met one after the
   * other, between two source transactions, and wait while the source cannot be reached.
   *
   * @throws ConfigError `CONFIG_SYNC_INVALID`, and nothing has changed;
   * AppError `REPLICATION_STOPPED` while `run` is not under way, retryable.
   */
  deploy(configText: string): Promise<DeployOutcome>;
  /**
   * Goes back to the config that served before; its buckets are there, so clients have it at once.
   * Going back again returns. What is being filled is called off.
   *
   * @throws ConfigError `CONFIG_NO_PREVIOUS` when there is none (any more): `rollbackKeepMs` after it was
   * replaced, or when the values of rows were decoded otherwise for it.
   */
  rollBack(): Promise<DeployOutcome>;
  /**
   * Reads everything that the active config needs anew, beside what serves.
   *
   * @throws AppError `API_NO_ACTIVE_CONFIG`, or `API_DEPLOY_IN_PROGRESS` while another config is filled.
   */
  reprocess(): Promise<DeployOutcome>;
}

/** What a deploy does, by names of definitions. */
export interface DeployOutcome {
  readonly generationId: number;
  readonly sourceHandle: string | undefined;
  /** Their buckets stay as they are. */
  readonly kept: readonly string[];
  /** Their buckets are filled first. */
  readonly filled: readonly string[];
  /** Clients lose them with the switch. */
  readonly dropped: readonly string[];
  /** Whether the config serves already, because nothing had to be filled. */
  readonly serves: boolean;
}
