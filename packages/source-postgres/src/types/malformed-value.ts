import { SourceError } from '@sluice/base';

/** The error for a value that is not in its type's output form. Carries no row data. */
export function malformedValue(typeName: string): SourceError {
  return new SourceError(
    'SOURCE_PROTOCOL',
    `A value of type ${typeName} is not in the form that PostgreSQL writes`,
    { details: { type: typeName } },
  );
}
