/**
 * R21's `cluster_project`: a plain name, or a dictionary in JSON or Python quoting
 * (`{'domain': 'default-domain', 'project': 'admin'}`); empty and `{}` mean none.
 *
 * @returns the name of the project (empty: none), or what is wrong with the text.
 */
export function parseSharedProject(text: string): { readonly name: string } | { readonly problem: string } {
  const trimmed = text.trim();
  if (trimmed === '') return { name: '' };
  if (!trimmed.startsWith('{')) {
    return /^[^:{}'"\s]+$/.test(trimmed) ? { name: trimmed } : problemWith(trimmed);
  }
  try {
    const dictionary = JSON.parse(trimmed.replaceAll("'", '"')) as Record<string, unknown>;
    if (Object.keys(dictionary).length === 0) return { name: '' };
    const project = dictionary['project'];
    return typeof project === 'string' && project !== '' ? { name: project } : problemWith(trimmed);
  } catch {
    return problemWith(trimmed);
  }
}

function problemWith(text: string): { readonly problem: string } {
  return { problem: `is "${text}"; write the name of a project, or {"domain": "default-domain", "project": "<name>"}` };
}
