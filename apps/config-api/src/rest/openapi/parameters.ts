import type { Answer } from '../wire/json';

function query(name: string, description: string, schema: Answer = { type: 'string' }): Answer {
  return { name, in: 'query', description, schema };
}

/** Parameters of every list. */
export const listParameters: Answer = [
  query('parent_id', 'Children of these objects; UUIDs joined by commas.'),
  query('parent_fq_name_str', 'Children of the object with this name, joined by colons.'),
  query('parent_type', 'Type of that parent, where several are possible.'),
  query('back_ref_id', 'Objects that refer to one of these; UUIDs joined by commas.'),
  query('obj_uuids', 'These objects; UUIDs joined by commas.'),
  query('fq_names', 'These objects; names joined by colons, several by commas.'),
  query('fields', 'Further fields of each object, also children and back references.'),
  query('filters', 'field==JSON value, joined by commas; the same field again means or.'),
  query('detail', 'True: whole objects.', { type: 'string', enum: ['True', 'False', 'true', 'false'] }),
  query('count', 'True: only how many.', { type: 'string', enum: ['True', 'False', 'true', 'false'] }),
  query('shared', 'True: also what is shared with the user.', {
    type: 'string',
    enum: ['True', 'False', 'true', 'false'],
  }),
  query('exclude_hrefs', 'Present: no links.'),
  query('pageLimit', 'Objects of one answer; the answer then has a marker.', { type: 'integer', minimum: 1 }),
  query('pageMarker', 'The marker of the page before.'),
];

/** Parameters of reading one object; all but `fields` act by being present. */
export const readParameters: Answer = [
  query('fields', 'Only these fields; joined by commas, or repeated.'),
  query('exclude_back_refs', 'Present: without back references.'),
  query('exclude_children', 'Present: without children.'),
  query('exclude_hrefs', 'Present: no links.'),
];
