/** Name of a VirtualNetwork, in three parts. */
export type NetworkName = readonly [domain: string, project: string, network: string];

/** What a text is instead of a network's name, and what to write. */
export interface NameProblem {
  readonly problem: string;
}

const lengthMax = 1024;
const remedy = 'write "default-domain:<project>:<network>"';

/**
 * The annotation `opencontrail.org/network`: `domain:project:name`, or R21's dictionary with the keys `domain`, `project` and
 * `name`, in JSON or as a Python literal. Further keys are ignored, as R21 did.
 */
export function parseNetworkName(text: string): NetworkName | NameProblem {
  const trimmed = text.trim();
  const quoted = `"${trimmed.slice(0, 100)}"`;
  if (trimmed.length > lengthMax) return { problem: `is longer than ${lengthMax} characters; ${remedy}` };
  if (trimmed.startsWith('{')) return fromDictionary(trimmed, quoted);
  const parts = trimmed.split(':').map((part) => part.trim());
  if (parts.length !== 3) return { problem: `is ${quoted}, but a fully qualified name has 3 parts; ${remedy}` };
  return checkParts(parts, quoted);
}

export function isNetworkName(parsed: NetworkName | NameProblem): parsed is NetworkName {
  return !('problem' in parsed);
}

function fromDictionary(text: string, quoted: string): NetworkName | NameProblem {
  const entries = parseDictionary(text);
  if (entries === undefined) {
    return { problem: `is ${quoted}, which is no dictionary of strings; write {"domain": "…", "project": "…", "name": "…"}, or ${remedy}` };
  }
  const missing = ['domain', 'project', 'name'].filter((key) => (entries.get(key) ?? '') === '');
  if (missing.length > 0) return { problem: `is ${quoted}, but the dictionary has no ${missing.join(' and no ')}; ${remedy}` };
  return checkParts([entries.get('domain') ?? '', entries.get('project') ?? '', entries.get('name') ?? ''], quoted);
}

function checkParts([domain = '', project = '', network = '']: readonly string[], quoted: string): NetworkName | NameProblem {
  const parts = [domain, project, network] as const;
  if (parts.some((part) => part === '')) return { problem: `is ${quoted}, but a part of the name is empty; ${remedy}` };
  if (parts.some((part) => part.includes(':'))) return { problem: `is ${quoted}, but a part of the name has a colon; ${remedy}` };
  return parts;
}

/** A string in JSON or Python: `"a"`, `'a'`, `u'a'`, with backslash escapes. */
const stringPattern = /^[uU]?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/;

/** Flat dictionaries of strings. Undefined: it is something else. */
function parseDictionary(text: string): Map<string, string> | undefined {
  const entries = new Map<string, string>();
  let rest = text.slice(1).trimStart();
  const take = (pattern: RegExp): string | undefined => {
    const [all, inner] = pattern.exec(rest) ?? [];
    if (all === undefined) return undefined;
    rest = rest.slice(all.length).trimStart();
    return inner ?? all;
  };
  while (take(/^\}/) === undefined) {
    const key = take(stringPattern);
    const colon = take(/^:/);
    const value = take(stringPattern);
    if (key === undefined || colon === undefined || value === undefined) return undefined;
    entries.set(unquote(key), unquote(value));
    if (take(/^,/) === undefined && !rest.startsWith('}')) return undefined;
  }
  return rest === '' ? entries : undefined;
}

function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/g, '$1');
}
