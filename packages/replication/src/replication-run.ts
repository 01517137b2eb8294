import { createHash } from 'node:crypto';
import { AppError, ConfigError, toAppError } from '@sluice/base';
import type { Generation } from '@sluice/storage';
import type { SyncPlan } from '@sluice/sync-config';
import { ConfigCompiler } from './config-compiler.ts';
import { storedConfig, type ConfigEvent } from './configs/config-changes.ts';
import type { DeployOutcome, ReplicationOptions } from './contract.ts';
import { outcomeOfGeneration, outcomeWithin } from './deploy-outcome.ts';
import {
  isSlotLost,
  runGeneration,
  runWithRetries,
  type GenerationRunOptions,
} from './generation-run.ts';
import type { ConfigChange } from './config-switcher.ts';
import type { GenerationReplicator } from './generation-replicator.ts';
import { DEFAULT_LIMITS, type ReplicationLimits } from './limits.ts';
import { parseResumePoint } from './resume-point.ts';
import { surveyGenerations, wantedConfig, type GenerationSurvey } from './survey-generations.ts';
import { hasSameValues } from './value-options.ts';

/** Time for readers to leave a generation that has been replaced. */
const REMOVAL_GRACE_MS = 5_000;

interface WantedText {
  readonly text: string;
  readonly plan: SyncPlan;
  /** Digest of the config file, when that is where the text comes from. */
  readonly file: string | undefined;
}

/**
 * One run of replication, from its beginning until it ends.
 *
 * Keeps the active generation up to date, and fills another one beside it where it cannot go on: its
 * place in the change log is lost, or the wanted config has values decoded in another way. That one
 * takes over when complete; then the old one is removed, its slot too. All other config changes
 * happen within a generation.
 */
export class ReplicationRun {
  readonly #options: ReplicationOptions;
  readonly #limits: ReplicationLimits;
  readonly #compiler: ConfigCompiler;
  readonly #lost = new Set<number>();
  readonly #replicators = new Map<number, GenerationReplicator>();
  readonly #ended = new AbortController();
  #round = new AbortController();
  #failure: AppError | undefined;
  /** What has to happen while no generation runs. */
  readonly #between: (() => Promise<void>)[] = [];
  /** Requests are met one after the other. */
  #lastRequest: Promise<unknown> = Promise.resolve();
  #onChange: (() => void)[] = [];
  /** Of the config file taken up last, for generations that are made. */
  #configFile: string | undefined;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#compiler = new ConfigCompiler(options.source.defaultSchema);
  }

  async run(signal: AbortSignal): Promise<void> {
    const end = (): void => this.#end();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    let filed = (): void => {};
    this.#lastRequest = new Promise<void>((resolve) => (filed = resolve));
    try {
      void this.#deployFile(await this.#newConfigFile()).finally(filed);
      // Each round runs a fixed set of generations; it ends when that set must be chosen anew.
      while (!this.#ended.signal.aborted) {
        await this.#actBetweenRounds();
        await this.#runRound();
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      signal.removeEventListener('abort', end);
      end();
      filed();
      await this.#actBetweenRounds(); // each finds that the run has ended
    }
  }

  async #actBetweenRounds(): Promise<void> {
    for (;;) {
      const act = this.#between.shift();
      if (act === undefined) return;
      await act();
    }
  }

  #end(): void {
    this.#ended.abort();
    this.#round.abort();
    this.#notify();
  }

  async deploy(text: string): Promise<DeployOutcome> {
    const plan = this.#compiler.compile(text);
    return this.#oneAtATime(() => this.#deploy({ text, plan, file: undefined }));
  }

  rollBack(): Promise<DeployOutcome> {
    return this.#oneAtATime(async () => {
      for (;;) {
        const survey = await this.#survey();
        const { active, activeIsUsable, preparing } = survey;
        if (active?.configs.previous === undefined || !activeIsUsable) {
          throw new ConfigError('CONFIG_NO_PREVIOUS', 'No sync config is kept to go back to');
        }
        if (preparing !== undefined) await this.#callOff(preparing);
        const change = await this.#changeIn(active, { kind: 'roll-back' });
        if (change !== undefined) return outcomeWithin(active, change, this.#compiler);
      }
    });
  }

  reprocess(): Promise<DeployOutcome> {
    return this.#oneAtATime(async () => {
      const { active, preparing } = await this.#survey();
      if (active === undefined) {
        throw new AppError('API_NO_ACTIVE_CONFIG', 'There is nothing to process anew');
      }
      if (preparing !== undefined || active.configs.next !== undefined) {
        throw new AppError('API_DEPLOY_IN_PROGRESS', 'A sync config is being filled');
      }
      const { text } = active.configs.serving;
      const plan = this.#compiler.compile(text);
      return this.#create({ text, plan, file: this.#configFile }, active);
    });
  }

  /** @throws AppError `REPLICATION_STOPPED` when the run ends before `act` is done. */
  #oneAtATime<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#lastRequest.then(() => {
      this.#assertRunning();
      return act();
    });
    this.#lastRequest = done.catch(() => {});
    return done;
  }

  #assertRunning(): void {
    if (!this.#ended.signal.aborted) return;
    throw new AppError('REPLICATION_STOPPED', 'Replication ended before the request was met');
  }

  async #deploy(wanted: WantedText): Promise<DeployOutcome> {
    for (;;) {
      const survey = await this.#survey();
      const { active, preparing } = survey;
      const generation = this.#generationFor(wanted, survey);
      if (generation === undefined) return this.#create(wanted, active);
      if (preparing !== undefined && generation !== preparing) await this.#callOff(preparing);
      const { text, plan, file } = wanted;
      const { storage, clock } = this.#options;
      const fill = await storage.takeFillNumber();
      const event = {
        kind: 'deploy',
        wanted: { text, hash: plan.hash, parts: plan.parts },
        fill,
        nowMs: clock.now(),
      } as const;
      const change = await this.#changeIn(generation, event, file);
      if (change === undefined) continue;
      this.#configFile = file ?? this.#configFile;
      return outcomeWithin(generation, change, this.#compiler);
    }
  }

  /** The generation that can take up a config: it must have its values decoded in the same way. */
  #generationFor(
    { plan }: WantedText,
    { active, activeIsUsable, preparing }: GenerationSurvey,
  ): Generation | undefined {
    const fits = ({ configs }: Generation): boolean =>
      hasSameValues(this.#compiler.compile(configs.serving.text).options, plan.options);
    // The same again, only written otherwise, does not call off what is under way.
    if (preparing?.configs.serving.hash === plan.hash) return preparing;
    if (active !== undefined && activeIsUsable && fits(active)) return active;
    return preparing !== undefined && fits(preparing) ? preparing : undefined;
  }

  /** Undefined when the generation stopped running meanwhile, so that one must look again. */
  async #changeIn(
    generation: Generation,
    event: ConfigEvent,
    file?: string,
  ): Promise<ConfigChange | undefined> {
    const replicator = this.#replicators.get(generation.id);
    if (replicator === undefined) {
      await this.#somethingChanges();
      return undefined;
    }
    try {
      return await replicator.change(event, file);
    } catch (error) {
      if (toAppError(error).code !== 'REPLICATION_STOPPED') throw error;
      if (this.#replicators.get(generation.id) === replicator) await this.#somethingChanges();
      this.#assertRunning();
      return undefined;
    }
  }

  /**
   * Makes a generation for a config and has it filled. It replaces one that is being filled, as the
   * newest counts; what the active one was filling is called off when that runs beside it.
   */
  async #create(wanted: WantedText, active: Generation | undefined): Promise<DeployOutcome> {
    const created = await this.#betweenRounds(async () => {
      if (wanted.file !== undefined) this.#configFile = wanted.file;
      return this.#createGeneration(wanted);
    });
    return outcomeOfGeneration(created, wanted.plan, active, this.#compiler);
  }

  async #createGeneration({ text, plan }: Omit<WantedText, 'file'>): Promise<Generation> {
    const { storage, clock, logger } = this.#options;
    const fill = await storage.takeFillNumber();
    const wanted = { text, hash: plan.hash, parts: plan.parts };
    const nowMs = clock.now();
    const created = await storage.createGeneration({
      configs: { serving: storedConfig({ wanted, fill, nowMs }, []) },
      createdAtMs: nowMs,
    });
    logger.info('generation_created', { generation: created.id });
    return created;
  }

  /** Removes a generation that is being filled; storage hides it at once and for good. */
  async #callOff(generation: Generation): Promise<void> {
    await this.#betweenRounds(() => this.#delete(generation, this.#ended.signal));
  }

  /** Runs `act` while no generation runs. */
  #betweenRounds<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#between.push(async () => {
        try {
          this.#assertRunning();
          resolve(await act());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      this.#round.abort();
    });
  }

  async #somethingChanges(): Promise<void> {
    this.#assertRunning();
    await new Promise<void>((resolve) => this.#onChange.push(resolve));
    this.#assertRunning();
  }

  #notify(): void {
    for (const resolve of this.#onChange.splice(0)) resolve();
  }

  async #survey(): Promise<GenerationSurvey> {
    const stored = await this.#options.storage.generations();
    return surveyGenerations(
      stored,
      ({ id, configs }) =>
        !this.#lost.has(id) && this.#compiler.planOf(configs.serving) !== undefined,
    );
  }

  /**
   * The config file, if it is another one than was taken up last: otherwise what was deployed since,
   * or gone back to, stands.
   *
   * @throws ConfigError `CONFIG_SYNC_INVALID` when it has errors and there is no other config.
   */
  async #newConfigFile(): Promise<WantedText | undefined> {
    const { configText: text, logger } = this.#options;
    const survey = await this.#survey();
    this.#configFile =
      (await this.#configFileOf(survey.preparing)) ?? (await this.#configFileOf(survey.active));
    if (text === undefined) return undefined;
    const file = createHash('sha256').update(text).digest('hex');
    if (file === this.#configFile) return undefined;
    try {
      return { text, plan: this.#compiler.compile(text), file };
    } catch (error) {
      if (wantedConfig(survey) === undefined && survey.missing.length === 0) throw error;
      const { code, message } = toAppError(error);
      logger.error('sync_config_invalid', { code, message });
      return undefined;
    }
  }

  /** Never rejects: a failure ends the run. */
  async #deployFile(wanted: WantedText | undefined): Promise<void> {
    try {
      if (wanted !== undefined) await this.#deploy(wanted);
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#failure = toAppError(error);
      this.#end();
    }
  }

  async #configFileOf(generation: Generation | undefined): Promise<string | undefined> {
    if (generation === undefined) return undefined;
    await using writer = await this.#options.storage.openWriter(generation.id);
    const { resume } = await writer.progress();
    return parseResumePoint(resume).configFile;
  }

  async #runRound(): Promise<void> {
    const round = new AbortController();
    this.#round = round;
    if (this.#between.length > 0) return; // it came too late to end the round before
    const signal = AbortSignal.any([this.#ended.signal, round.signal]);
    const { active, activeIsUsable, preparing, remove } = await this.#completeSurvey();
    const tasks = remove.map((generation) => this.#remove(generation, signal));
    if (active !== undefined && activeIsUsable) {
      tasks.push(this.#runOne(active, { isAlone: preparing === undefined, signal }));
    }
    if (preparing !== undefined) {
      tasks.push(this.#runOne(preparing, { isAlone: active === undefined, signal }));
    }
    this.#notify();
    try {
      await Promise.race([Promise.all(tasks).then(() => aborted(signal)), aborted(signal)]);
    } finally {
      round.abort();
      await Promise.allSettled(tasks);
    }
    await Promise.all(tasks); // a failure that came while the round was ending
  }

  /** Makes the generation that is missing, if one is. */
  async #completeSurvey(): Promise<GenerationSurvey> {
    const survey = await this.#survey();
    if (survey.missing.length === 0) return survey;
    const { configText = '' } = this.#options;
    const texts = [...survey.missing.map(({ text }) => text), configText];
    const text = texts.find((one) => this.#compiler.tryCompile(one) !== undefined) ?? configText;
    await this.#createGeneration({ text, plan: this.#compiler.compile(text) });
    return this.#survey();
  }

  async #runOne(
    generation: Generation,
    { isAlone, signal }: { readonly isAlone: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const { logger } = this.#options;
    const isFilledBeside = generation.state === 'preparing' && !isAlone;
    const run = isFilledBeside ? runWithRetries : runGeneration;
    try {
      await run(generation, this.#runOptions(generation, isAlone), signal);
    } catch (error) {
      if (!isSlotLost(error)) throw error;
      logger.warn('generation_lost', { generation: generation.id, code: 'SOURCE_SLOT_LOST' });
      this.#lost.add(generation.id);
      this.#round.abort();
    }
  }

  #runOptions(generation: Generation, isAlone: boolean): GenerationRunOptions {
    const { logger, onStatus = () => {} } = this.#options;
    return {
      ...this.#options,
      compiler: this.#compiler,
      limits: this.#limits,
      configFile: generation.state === 'preparing' ? this.#configFile : undefined,
      callsOffNext: generation.state === 'active' && !isAlone,
      onStatus,
      onActivated: ({ id }) => {
        logger.info('generation_activated', { generation: id });
        if (!isAlone) this.#round.abort(); // the one before can be removed
      },
      onReplicator: (id, replicator) => {
        if (replicator === undefined) this.#replicators.delete(id);
        else this.#replicators.set(id, replicator);
        this.#notify();
      },
    };
  }

  /** Removes a generation; readers of one that was active get time to leave it. */
  async #remove(generation: Generation, signal: AbortSignal): Promise<void> {
    try {
      if (generation.state === 'retired') {
        await this.#dropHandle(generation);
        await this.#options.clock.sleep(REMOVAL_GRACE_MS, signal);
      }
      await this.#delete(generation, signal);
    } catch (error) {
      if (!signal.aborted) throw toAppError(error);
    }
  }

  async #delete(generation: Generation, signal: AbortSignal): Promise<void> {
    const { storage, logger } = this.#options;
    await this.#dropHandle(generation);
    await storage.deleteGeneration(generation.id, signal);
    logger.info('generation_removed', { generation: generation.id });
  }

  async #dropHandle({ sourceHandle }: Generation): Promise<void> {
    if (sourceHandle !== undefined) await this.#options.source.dropReplication(sourceHandle);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
