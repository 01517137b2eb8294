import { AppError, ERROR_TABLE, toAppError, type ErrorCode } from '@sluice/base';

/**
 * The `PSYNC_*` codes that clients and tools of the protocol expect (spec/protocol.md 1.5). Nothing
 * but this file knows them; codes without an entry are `PSYNC_S2001`.
 */
const WIRE_CODES: Partial<Readonly<Record<ErrorCode, string>>> = {
  INTERNAL_BUG: 'PSYNC_S0001',
  CONFIG_SYNC_INVALID: 'PSYNC_R0001',
  SOURCE_UNREACHABLE: 'PSYNC_S1120',
  SOURCE_AUTH_FAILED: 'PSYNC_S1120',
  SOURCE_TIMEOUT: 'PSYNC_S1121',
  SOURCE_QUERY_FAILED: 'PSYNC_S1120',
  SOURCE_PUBLICATION_MISSING: 'PSYNC_S1141',
  SOURCE_PUBLICATION_INCOMPLETE: 'PSYNC_S1142',
  SOURCE_PUBLICATION_VIA_ROOT: 'PSYNC_S1143',
  SOURCE_SLOT_LOST: 'PSYNC_S1146',
  SOURCE_SLOT_IN_USE: 'PSYNC_S1003',
  SOURCE_ROW_TOO_LARGE: 'PSYNC_S1002',
  STORAGE_UNAVAILABLE: 'PSYNC_S2402',
  STORAGE_LOCKED: 'PSYNC_S2404',
  STORAGE_FULL: 'PSYNC_S2404',
  STORAGE_CORRUPT: 'PSYNC_S2404',
  STORAGE_VERSION: 'PSYNC_S1005',
  STORAGE_GENERATION_GONE: 'PSYNC_S2302',
  STORAGE_CLOSED: 'PSYNC_S2003',
  SYNC_TOKEN_MISSING: 'PSYNC_S2106',
  SYNC_TOKEN_INVALID: 'PSYNC_S2101',
  SYNC_TOKEN_EXPIRED: 'PSYNC_S2103',
  SYNC_TOKEN_LIFETIME: 'PSYNC_S2104',
  SYNC_TOKEN_AUDIENCE: 'PSYNC_S2105',
  SYNC_KEYS_IPV6_REFUSED: 'PSYNC_S2202',
  SYNC_KEYS_ADDRESS_REFUSED: 'PSYNC_S2203',
  SYNC_KEYS_UNAVAILABLE: 'PSYNC_S2204',
  SYNC_NO_ACTIVE_CONFIG: 'PSYNC_S2302',
  SYNC_TOO_MANY_BUCKETS: 'PSYNC_S2305',
  SYNC_TOO_MANY_PARAMETER_RESULTS: 'PSYNC_S2305',
  SYNC_TOO_MANY_CONNECTIONS: 'PSYNC_S2304',
  SYNC_SHUTTING_DOWN: 'PSYNC_S2003',
  API_ROUTE_MISSING: 'PSYNC_S2002',
  API_TOKEN_INVALID: 'PSYNC_S2101',
  API_NO_ACTIVE_CONFIG: 'PSYNC_S4104',
  API_SYNC_CONFIG_PINNED: 'PSYNC_S4105',
  API_DEPLOY_IN_PROGRESS: 'PSYNC_S4106',
  API_MEDIA_TYPE: 'PSYNC_S2004',
};
const OTHER_WIRE_CODE = 'PSYNC_S2001';

export interface WireError {
  readonly status: number;
  readonly body: { readonly error: WireErrorBody };
}

/** spec/protocol.md 1.4 */
interface WireErrorBody {
  readonly name: string;
  readonly code: string;
  readonly status: number;
  readonly description: string;
  readonly details?: string | undefined;
  readonly stack?: string | undefined;
}

/** An error as the body of an answer. In production it tells nothing of what went on inside. */
export function toWireError(error: unknown, options: { readonly production: boolean }): WireError {
  const appError = toAppError(error);
  const status = appError.httpStatus;
  return {
    status,
    body: {
      error: {
        name: status === 401 ? 'AuthorizationError' : appError.name,
        code: WIRE_CODES[appError.code] ?? OTHER_WIRE_CODE,
        status,
        description: description(appError, options.production),
        details: details(appError),
        ...(options.production || status < 500 ? {} : { stack: appError.stack }),
      },
    },
  };
}

/** The form of an error in logs and RSocket frames (spec/protocol.md 1.4). */
export function wireErrorText(error: unknown, options: { readonly production: boolean }): string {
  const { code, description: text, details: more } = toWireError(error, options).body.error;
  return `[${code}] ${text}${more === undefined ? '' : `\n  ${more}`}`;
}

/**
 * The text of an error on an RSocket stream. What has a code of its own has it there, too, but what nobody expected and too
 * many buckets or parameter results are a failure of the service, with what it was as details (spec/protocol.md 3.8, 2.10).
 */
export function streamErrorText(error: unknown, options: { readonly production: boolean }): string {
  if (!(error instanceof AppError)) {
    return unexpected(options.production ? undefined : toAppError(error).message);
  }
  const text = wireErrorText(error, options);
  return WIRE_CODES[error.code] === 'PSYNC_S2305' ? unexpected(text) : text;
}

function unexpected(inside: string | undefined): string {
  return `[${OTHER_WIRE_CODE}] Internal server error${inside === undefined ? '' : `\n  ${inside}`}`;
}

/** Messages of sources and storage may name hosts and files: not for everybody's eyes. */
function description(error: AppError, production: boolean): string {
  const isForClients = /^(SYNC|API|UPLOAD|CONFIG)_/.test(error.code);
  if (!isForClients && production) return ERROR_TABLE[error.code].meaning;
  // The rest of a message with several lines is a listing, which is in the details.
  return error.message.split('\n', 1)[0] ?? '';
}

function details(error: AppError): string {
  const { problems, listing } = error.details;
  if (typeof listing === 'string') return listing;
  return Array.isArray(problems) ? JSON.stringify(problems) : `${error.code}: ${error.remedy}`;
}
