import type { FastifyError } from 'fastify';
import { AppError } from '@sluice/base';
import { toWireError, type WireError } from './wire-error.ts';

/**
 * What went wrong before a handler ran: wrong JSON, too large, not JSON. These keep the framework's
 * own code (spec/protocol.md 1.4).
 */
export function frameworkError(error: FastifyError): WireError | undefined {
  const { statusCode } = error;
  if (error instanceof AppError || statusCode === undefined || statusCode >= 500) return undefined;
  const own = { 413: 'API_BODY_TOO_LARGE', 415: 'API_MEDIA_TYPE' } as const;
  if (statusCode === 413 || statusCode === 415) {
    return toWireError(new AppError(own[statusCode], error.message), { production: true });
  }
  return {
    status: statusCode,
    body: {
      error: {
        name: error.name,
        code: error.code ?? 'FST_ERR_CTP_INVALID_JSON_BODY',
        status: statusCode,
        description: error.message,
      },
    },
  };
}
