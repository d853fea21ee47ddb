import { ContrailError, errorText } from '@contrail/errors';
import { parsePrefix } from '@contrail/net';
import type { Prefix } from '@contrail/net';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads typed values; a problem is noted and a harmless value returned, so that all are reported. */
export class EnvReader {
  readonly problems: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  string(name: string, fallback?: string): string {
    const value = this.optionalString(name) ?? fallback;
    if (value === undefined) this.problems.push(`${name} is not set; it has no default`);
    return value ?? '';
  }

  /** Empty counts as not set. */
  optionalString(name: string): string | undefined {
    const value = this.#env[name];
    return value === undefined || value === '' ? undefined : value;
  }

  integer(name: string, options: { default?: number; min?: number; max?: number } = {}): number {
    const text = this.string(name, options.default === undefined ? undefined : String(options.default));
    const value = Number(text);
    const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options;
    if (text !== '' && (!/^-?\d+$/.test(text) || value < min || value > max)) {
      this.problems.push(`${name} is "${text}"; write a whole number from ${min} to ${max}`);
    }
    return value;
  }

  boolean(name: string, fallback?: boolean): boolean {
    const text = this.string(name, fallback === undefined ? undefined : String(fallback)).toLowerCase();
    if (!['true', 'false', '1', '0', ''].includes(text)) {
      this.problems.push(`${name} is "${text}"; write true or false`);
    }
    return text === 'true' || text === '1';
  }

  /** Comma-separated, blanks trimmed. */
  list(name: string, fallback?: readonly string[]): string[] {
    const text = this.string(name, fallback?.join(','));
    return text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  }

  /** "host:port", IPv6 hosts in brackets. */
  address(name: string, fallback?: string): HostPort {
    const text = this.string(name, fallback);
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
    const port = Number(match?.[3]);
    if (!match || port > 65535) {
      if (text !== '') this.problems.push(`${name} is "${text}"; write host:port`);
      return { host: '', port: 0 };
    }
    return { host: match[1] ?? match[2] ?? '', port };
  }

  prefixes(name: string, fallback?: readonly string[]): Prefix[] {
    return this.list(name, fallback).flatMap((text) => {
      try {
        return [parsePrefix(text)];
      } catch (error) {
        this.problems.push(`${name}: ${errorText(error)}`);
        return [];
      }
    });
  }

  /** "250ms", "10s", "5m", "1h"; @returns milliseconds. */
  duration(name: string, defaultMs?: number): number {
    const text = this.string(name, defaultMs === undefined ? undefined : `${defaultMs}ms`);
    const match = /^(\d+)(ms|s|m|h)$/.exec(text);
    if (!match) {
      if (text !== '') this.problems.push(`${name} is "${text}"; write a duration like 250ms, 10s, 5m or 1h`);
      return 0;
    }
    const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as 'ms' | 's' | 'm' | 'h'];
    return Number(match[1]) * unit;
  }
}

/**
 * Reads a process's configuration from its environment.
 *
 * @returns the frozen result of `read`.
 * @throws ContrailError INVALID_ARGUMENT with every problem found, one a line.
 */
export function readConfig<T extends object>(env: Environment, read: (reader: EnvReader) => T): Readonly<T> {
  const reader = new EnvReader(env);
  const config = read(reader);
  if (reader.problems.length > 0) {
    throw new ContrailError('INVALID_ARGUMENT', `environment:\n  ${reader.problems.join('\n  ')}`);
  }
  return Object.freeze(config);
}
