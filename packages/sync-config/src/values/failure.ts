/**
 * An expression cannot be evaluated on these values (spec/sync-config.md 10.8). Confined to one row
 * or one subscription; never leaves the package. The message quotes no data.
 */
export class EvaluationFailure extends Error {}
