import { AppError } from '@sluice/base';

/** Why the service cannot listen, in words. */
export function listenError(cause: unknown, host: string, port: number): AppError {
  const { code } = cause as NodeJS.ErrnoException;
  const reason =
    code === 'EADDRINUSE'
      ? 'another process listens there'
      : code === 'EACCES'
        ? 'this user may not listen there'
        : String(cause);
  return new AppError('API_LISTEN_FAILED', `Cannot listen on ${host}:${port}: ${reason}`, {
    cause,
    details: { host, port, reason: code },
  });
}
