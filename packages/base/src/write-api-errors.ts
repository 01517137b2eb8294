import { entry, RETRY, REJECTED, UNAUTHORIZED, type ErrorEntry } from './error-entry.ts';

/** The failures of the write API: uploads, its data API, functions and tokens. A part of `ERROR_TABLE`. */
export const WRITE_API_ERRORS = {
  UPLOAD_INVALID: entry('An upload has a wrong form', 'Correct the entry named', {
    httpStatus: 400,
    logLevel: 'info',
  }),
  UPLOAD_TABLE_UNKNOWN: entry(
    'A write is for a table that does not exist or that uploads may not change',
    'Correct the table name, or allow the table',
    REJECTED,
  ),
  UPLOAD_COLUMN_UNKNOWN: entry(
    'A write names a column that the table does not have',
    "Bring the client's schema and the table in line",
    REJECTED,
  ),
  UPLOAD_VALUE_INVALID: entry(
    'A written value does not fit the type of its column',
    'Correct the value where the client writes it',
    REJECTED,
  ),
  UPLOAD_CONSTRAINT: entry(
    'A write breaks a constraint of the database',
    'Check the same rule in the client before writing',
    REJECTED,
  ),
  UPLOAD_FORBIDDEN: entry(
    'The rules of the table, or the database, do not permit this write',
    'Correct the rule, the row-level security policy, or the rights of the role',
    REJECTED,
  ),
  UPLOAD_COLUMN_FORBIDDEN: entry(
    'A write names a column that clients may not write',
    'List the column in columns of its table, or leave it out on the client',
    REJECTED,
  ),
  UPLOAD_IMMUTABLE: entry(
    'An update changes a column that never changes',
    'Insert another row instead',
    REJECTED,
  ),
  UPLOAD_REQUIRED: entry(
    'A row lacks a value that its table requires',
    'Give the column a value where the client writes it',
    REJECTED,
  ),
  UPLOAD_CHECK_FAILED: entry(
    'A row does not pass a check of its table',
    'Check the same rule in the client before writing',
    REJECTED,
  ),
  UPLOAD_STALE: entry(
    'The row has changed since the client saw it',
    'Show the row as it is now, and let the user decide again',
    REJECTED,
  ),
  UPLOAD_BASE_MISSING: entry(
    'A change does not say what the client saw before it',
    'Track previous values of the column in the schema of the client',
    REJECTED,
  ),
  UPLOAD_REJECTED: entry(
    'The database refused a write for good',
    'See the message of the database',
    REJECTED,
  ),
  UPLOAD_CONFLICT: entry(
    'The row has changed since the client saw it, and the conflict rule of its table refuses the write',
    'Show the row as it is now, and let the user decide',
    REJECTED,
  ),
  UPLOAD_TRANSACTION_REFUSED: entry(
    'Another write of the same transaction was refused, and `atomic_transactions` is on',
    'See the write that was refused for a reason of its own',
    REJECTED,
  ),
  UPLOAD_SETUP: entry(
    'The tables in which the write API keeps what it has seen and refused are missing, and cannot be made',
    'Make them as a role that may; see docs/backend.md',
    { ...RETRY, httpStatus: 503, logLevel: 'error' },
  ),
  UPLOAD_OVERLOADED: entry(
    'The write API has as much to do as it takes at a time',
    'Nothing to do: clients send it again; raise `write_api.max_concurrency` or `max_pool_size` if it lasts',
    { ...RETRY, httpStatus: 503 },
  ),
  UPLOAD_UNAVAILABLE: entry(
    'An upload could not be applied for the moment',
    'Nothing to do: clients send it again',
    { ...RETRY, httpStatus: 503 },
  ),

  DATA_QUERY_INVALID: entry(
    'A request to the data API has a wrong form',
    'Correct the part named',
    { httpStatus: 400, logLevel: 'info' },
  ),
  DATA_TABLE_UNKNOWN: entry(
    'A request to the data API is for a table that does not exist',
    'Correct the name of the table',
    { httpStatus: 404, logLevel: 'info' },
  ),
  DATA_ROW_MISSING: entry(
    'A request to the data API is for a row that is not there, or that the caller may not see',
    'Correct the id',
    { httpStatus: 404, logLevel: 'info' },
  ),
  DATA_FORBIDDEN: entry(
    'The caller may not read this by the data API',
    'Give the table a read rule, or use a service token',
    { httpStatus: 403, logLevel: 'info' },
  ),
  DATA_UNAVAILABLE: entry('The database could not answer a request for the moment', 'Try again', {
    ...RETRY,
    httpStatus: 503,
  }),

  FUNCTION_INVALID: entry(
    "The app's functions cannot be loaded",
    'Correct the file at the line named',
  ),
  FUNCTION_REJECTED: entry(
    'A function of the app refused',
    'Nothing to do: the message says why, and the app can show it',
    REJECTED,
  ),
  FUNCTION_FAILED: entry(
    'A function of the app threw an error',
    "Correct the function; the service's log has the stack",
  ),
  FUNCTION_TIMEOUT: entry(
    'A function of the app waited longer than it may',
    'See what it waits for: a lock in the database, or another service',
    { ...RETRY, httpStatus: 504 },
  ),
  FUNCTION_STUCK: entry(
    'A function of the app computed longer than it may, and was ended',
    'Look for a loop without end, or give it more time',
  ),
  FUNCTION_ENDED: entry(
    'A function of the app took its thread down: no memory left, process.exit(), an error outside of it',
    "Correct the function; the service's log says how it ended",
  ),
  FUNCTION_BUSY: entry(
    'All threads for functions are busy, and too many calls wait',
    'Nothing to do: clients try again; see which functions are slow',
    { ...RETRY, httpStatus: 503 },
  ),

  TOKENS_KEYS_MISSING: entry(
    'The keys that sign tokens cannot be read or written',
    'Make them with `sluice keys generate`, or correct write_api.tokens.keys',
  ),
  TOKENS_KEYS_EXPOSED: entry(
    'Others than the service may read or change the keys that sign tokens',
    'Run chmod 600 on the file; if somebody may have read it, also `sluice keys rotate --retire`',
  ),
  TOKENS_KEYS_INVALID: entry(
    'A key that signs tokens is malformed or of a kind that cannot be used',
    'Make new ones with `sluice keys generate`, or take the file from a backup',
  ),
  TOKENS_CLAIMS_INVALID: entry(
    'The sign-in gave claims that cannot be put into a token',
    'Correct the claims that write_api.sign_in names or its session check answers with',
  ),
  TOKENS_REQUEST_INVALID: entry(
    'A request for a token does not have the form that is wanted',
    'Send what the message names',
    { httpStatus: 400, logLevel: 'info' },
  ),
  TOKENS_ORIGIN_REFUSED: entry(
    'A page that is not of this machine or network asked for a development token',
    'Open the page by localhost or by an address of the network; elsewhere, sign in by another way than write_api.sign_in.users',
    { httpStatus: 403, logLevel: 'warn' },
  ),
  TOKENS_SIGN_IN_REFUSED: entry(
    'Whoever asked for a token is not signed in',
    'Sign in again',
    UNAUTHORIZED,
  ),
  TOKENS_SIGN_IN_LIMITED: entry(
    'Too many sign-ins of an address were refused, so it has to wait',
    'Wait a minute; behind a proxy, set write_api.sign_in.address_header',
    { ...RETRY, httpStatus: 429 },
  ),
  TOKENS_SIGN_IN_UNAVAILABLE: entry(
    'It could not be found out who asks for a token',
    'Check that the session check or the issuer of write_api.sign_in works and can be reached',
    { ...RETRY, httpStatus: 503 },
  ),
} as const satisfies Record<string, ErrorEntry>;
