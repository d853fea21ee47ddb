import pino from 'pino';
import { errorText } from '@contrail/errors';

/** Facts of a log line; an `error` is written as its text. bigint and bytes are written as text. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  /** @param message constant text; what varies goes into fields. */
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

let made: pino.Logger | undefined;

/** Made for the first line, not while modules load: LOG_LEVEL may be among the settings that a process takes first. */
function root(): pino.Logger {
  return (made ??= pino({
    level: process.env['LOG_LEVEL'] ?? 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  }));
}

/** JSON lines on standard output. @param component which part of the process speaks. */
export function logger(component: string): Logger {
  let child: pino.Logger | undefined;
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields?: LogFields): void => {
      child ??= root().child({ component });
      child[level](fields ? plain(fields) : {}, message);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** Whether lines of level debug are written; for fields that take long to compute. */
export function isDebugWritten(): boolean {
  return root().isLevelEnabled('debug');
}

function plain(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? errorText(value) : typeof value === 'bigint' ? value.toString() : value,
    ]),
  );
}
