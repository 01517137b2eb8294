import {
  compileSyncConfig,
  type CompileOptions,
  type Diagnostic,
  type SyncPlan,
} from '@sluice/sync-config';

/** A sync config after a check. */
export interface CheckedFile {
  readonly file: string;
  readonly text: string;
  /** Errors and warnings, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  /** Where edition 4 would behave otherwise; empty for what is edition 4 already. */
  readonly exactAdvice: readonly Diagnostic[];
  readonly errorCount: number;
  readonly warningCount: number;
  readonly definitionCount: number;
  readonly tableCount: number;
  /** What its events are good for, in sentences. */
  readonly eventNotes: readonly string[];
  /** Of a service's configuration: the tables that have rules for writes. */
  readonly ruleCount?: number | undefined;
}

export function checkFile(file: string, text: string, options: CompileOptions): CheckedFile {
  const { plan, diagnostics } = compileSyncConfig(text, { ...options, exactAdvice: true });
  const problems = diagnostics.filter(({ severity }) => severity !== 'info');
  if (plan !== undefined && plan.tables.length === 0 && plan.definitions.length > 0) {
    problems.unshift(READS_NOTHING);
  }
  const count = (wanted: Diagnostic['severity']) =>
    problems.filter(({ severity }) => severity === wanted).length;
  return {
    file,
    text,
    diagnostics: problems,
    exactAdvice: diagnostics.filter(({ severity }) => severity === 'info'),
    errorCount: count('error'),
    warningCount: count('warning'),
    definitionCount: plan?.definitions.length ?? 0,
    tableCount: plan?.tables.length ?? 0,
    eventNotes: plan === undefined ? [] : eventNotes(plan),
  };
}

function eventNotes({ events, writeCheckpoints }: SyncPlan): string[] {
  const unused = events.filter(({ makesWriteCheckpoints }) => !makesWriteCheckpoints);
  const tables = writeCheckpoints?.tables.map(
    ({ name, nameIsPrefix }) => name + (nameIsPrefix ? '%' : ''),
  );
  return [
    ...(tables === undefined
      ? []
      : [
          `Write checkpoints come from rows of ${tables.join(', ')}: the service gives out none itself`,
        ]),
    ...unused.map(({ name }) => `Nothing consumes the event ${name}`),
  ];
}

const READS_NOTHING: Diagnostic = {
  code: 'NO_OUTPUT_TABLE',
  severity: 'error',
  message: 'No query reads a table, so there is nothing to sync',
  fix: 'Add a query that selects from a table',
  start: 0,
  end: 0,
};
