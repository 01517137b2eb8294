/**
 * The service sent what is not a line (spec/protocol.md 2.3, 2.4). A class of its own, as clients in browsers
 * have no use for the service's table of errors.
 */
export class LineError extends Error {
  readonly code = 'SYNC_LINE_INVALID';
}
