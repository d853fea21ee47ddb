export { EnvReader, readConfig } from './read-config';
export type { HostPort } from './read-config';
