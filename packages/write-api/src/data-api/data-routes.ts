import type { Clock } from '@sluice/base';
import type { Route } from '../http/route.ts';
import { applyUpload } from '../pipeline/apply-upload.ts';
import type { Caller } from '../pipeline/row-write.ts';
import type { TableSteps } from '../pipeline/table-steps.ts';
import { DataReader, type DataStore } from './data-store.ts';
import { readRoutes } from './read-routes.ts';
import { dataAuthenticator, type ServiceToken } from './service-tokens.ts';
import { writeRoutes, type ApplyData } from './write-routes.ts';

export interface DataRoutesOptions {
  /** Reads and writes as the role of row-level security, if there is one. */
  readonly store: DataStore;
  /** Reads and writes as the service. */
  readonly serviceStore: DataStore;
  /** SQL of the `read` rule. Undefined: only the service may read. */
  readonly readRuleOf: (table: string) => string | undefined;
  /** What writes of a table go through. */
  readonly stepsOf: (table: string) => TableSteps | undefined;
  /** What writes of the service go through: hooks, but no rules. */
  readonly serviceStepsOf: (table: string) => TableSteps | undefined;
  readonly isWritable: (table: string) => boolean;
  readonly serviceTokens: readonly ServiceToken[];
  /** @throws AppError of status 401 */
  readonly authenticate: (request: Request) => Promise<Caller>;
  readonly maxBodyBytes: number;
  readonly clock: Clock;
  /** A value in [0, 1). */
  readonly random: () => number;
}

/** The data API: find, insert, update, delete and aggregate over HTTP (docs/backend.md, "Data API"). */
export function dataRoutes(options: DataRoutesOptions): readonly Route[] {
  const reader = new DataReader(options);
  const authenticate = dataAuthenticator(options.serviceTokens, options.authenticate);
  const { maxBodyBytes } = options;
  return [
    ...readRoutes({ reader, authenticate, maxBodyBytes }),
    ...writeRoutes({ reader, authenticate, maxBodyBytes, apply: applyData(options) }),
  ];
}

function applyData(options: DataRoutesOptions): ApplyData {
  return (entries, { caller, isService }, { guard, isAtomic }) => {
    const ownSteps = isService ? options.serviceStepsOf : options.stepsOf;
    return applyUpload([entries], caller, {
      store: isService ? options.serviceStore : options.store,
      stepsOf: (table) => withGuard(ownSteps(table), guard),
      isWritable: isService ? () => true : options.isWritable,
      isAtomic,
      clock: options.clock,
      random: options.random,
    });
  };
}

function withGuard(
  steps: TableSteps | undefined,
  guard: TableSteps['bundles'][number] | undefined,
): TableSteps | undefined {
  if (guard === undefined) return steps;
  return { ...steps, bundles: [guard, ...(steps?.bundles ?? [])] };
}
