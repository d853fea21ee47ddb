import { takeSettings } from '@contrail/env';
import { errorText } from '@contrail/errors';
import { logger } from './logger';
import { startTelemetry } from './tracing';

export interface RunningService {
  stop(): Promise<void>;
}

export interface RunServiceOptions {
  /** Between the signal and the stop, while others still send work here; default 0. */
  readonly drainMs?: number;
}

/**
 * The life of a process: the settings first (`takeSettings`), then tracing, then the service, until SIGTERM or
 * SIGINT. Exits with 1 when it cannot start. `start` imports what it needs, so that a module that fails to load
 * is reported, too.
 */
export function runService(
  name: string,
  start: () => Promise<RunningService>,
  options: RunServiceOptions = {},
): void {
  takeSettings(process.env);
  const telemetry = startTelemetry(name);
  const exit = (status: number): void => {
    void telemetry.stop().finally(() => process.exit(status));
  };
  start().then(
    (service) => {
      let isStopping = false;
      const stop = (): void => {
        if (isStopping) return;
        isStopping = true;
        setTimeout(() => {
          service.stop().then(
            () => exit(0),
            (error: unknown) => {
              logger(name).error('stopped badly', { error });
              exit(1);
            },
          );
        }, options.drainMs ?? 0);
      };
      process.on('SIGTERM', stop);
      process.on('SIGINT', stop);
    },
    (error: unknown) => {
      logger(name).error('cannot start', { error });
      process.stderr.write(`${name}: ${errorText(error)}\n`);
      exit(1);
    },
  );
}
