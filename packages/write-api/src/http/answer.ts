import { ERROR_TABLE, type AppError, type Logger } from '@sluice/base';

export const CORS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers':
    'Content-Type, Content-Encoding, Authorization, User-Agent, X-User-Agent, X-Client-Id',
  'access-control-expose-headers': 'Retry-After',
  'access-control-max-age': '3600',
};

/** JSON with the headers that browsers need. */
export function answer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...CORS, 'content-type': 'application/json', ...headers },
  });
}

const RETRY_AFTER_SECONDS = '2';

/** `{error: {code, status, description, details}}`; what happened inside stays inside. */
export function errorAnswer(error: AppError, logger: Logger): Response {
  const { code, httpStatus: status, message, retryable, remedy } = error;
  if (status >= 500) logger[ERROR_TABLE[code].logLevel]('write_api_failed', { code, message });
  const description = status < 500 ? message : ERROR_TABLE[code].meaning;
  const details = status < 500 ? remedy : ERROR_TABLE[code].remedy;
  const headers: Readonly<Record<string, string>> = retryable
    ? { 'retry-after': RETRY_AFTER_SECONDS }
    : {};
  return answer(status, { error: { code, status, description, details } }, headers);
}
