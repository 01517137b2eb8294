import { format } from 'node:util';
import type { LogLevel } from '../messages.ts';
import type { HostLink } from './host-link.ts';

const LEVELS: Readonly<Record<'debug' | 'trace' | 'log' | 'info' | 'warn' | 'error', LogLevel>> = {
  debug: 'debug',
  trace: 'debug',
  log: 'info',
  info: 'info',
  warn: 'warn',
  error: 'error',
};

/** `console.log` and its kind go to the service's log, with the name of the function. */
export function redirectConsole(link: HostLink): void {
  for (const [method, level] of Object.entries(LEVELS)) {
    Object.defineProperty(console, method, {
      value: (...parts: unknown[]) => link.log(level, format(...parts)),
    });
  }
}
