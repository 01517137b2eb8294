import { AppError, assert } from '@sluice/base';
import type { DeployOutcome, Replication, ReplicationOptions } from './contract.ts';
import { ReplicationRun } from './replication-run.ts';

/** Makes the replication of a source into storage; `run` begins it. */
export function createReplication(options: ReplicationOptions): Replication {
  return new SourceReplicator(options);
}

class SourceReplicator implements Replication {
  readonly #options: ReplicationOptions;
  #run: ReplicationRun | undefined;

  constructor(options: ReplicationOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    assert(this.#run === undefined, 'replication runs once at a time');
    this.#run = new ReplicationRun(this.#options);
    try {
      await this.#run.run(signal);
    } finally {
      this.#run = undefined;
    }
  }

  deploy(configText: string): Promise<DeployOutcome> {
    return this.#use((run) => run.deploy(configText));
  }

  rollBack(): Promise<DeployOutcome> {
    return this.#use((run) => run.rollBack());
  }

  reprocess(): Promise<DeployOutcome> {
    return this.#use((run) => run.reprocess());
  }

  async #use(act: (run: ReplicationRun) => Promise<DeployOutcome>): Promise<DeployOutcome> {
    if (this.#run !== undefined) return act(this.#run);
    throw new AppError('REPLICATION_STOPPED', 'Replication does not run now');
  }
}
