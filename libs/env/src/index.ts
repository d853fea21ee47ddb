export { EnvReader, readConfig } from './read-config';
export type { HostPort } from './read-config';
export { takeSettings } from './take-settings';
