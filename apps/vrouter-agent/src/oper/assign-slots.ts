/** Slots for each member when a table is made: shares then differ by at most a quarter. */
const slotsPerMember = 4;

/**
 * Spreads members over slots for hashing. A member keeps its slots while membership changes; what
 * a leaving member frees is given to others, and a new member takes from the fullest. Each member
 * has floor(slots / members) or one more. The size stays while 2 to 16 slots fall on a member.
 *
 * @param previous the slots so far; may name members that have left; empty at first.
 * @param members each once, sorted.
 * @returns a full table; empty without members.
 */
export function assignSlots(previous: readonly string[], members: readonly string[]): string[] {
  if (members.length === 0) return [];
  const size = tableSize(previous.length, members.length);
  const share = Math.floor(size / members.length);
  let extras = size % members.length;
  const counts = new Map<string, number>(members.map((member) => [member, 0]));
  const slots = Array.from({ length: size }, (_, slot): string | undefined => {
    const member = previous[slot];
    const count = member === undefined ? undefined : counts.get(member);
    if (member === undefined || count === undefined || count > share) return undefined;
    if (count === share) {
      if (extras === 0) return undefined;
      extras -= 1;
    }
    counts.set(member, count + 1);
    return member;
  });
  const fill = fillers(members, counts, { share, extras });
  return slots.map((member) => member ?? fill.next().value ?? '');
}

function tableSize(previous: number, members: number): number {
  const perMember = previous / members;
  if (perMember >= 2 && perMember <= 16) return previous;
  if (members === 1) return 1;
  return 2 ** Math.ceil(Math.log2(members * slotsPerMember));
}

/** Members that have less than their share, in turn; then the extras, one each. */
function* fillers(
  members: readonly string[],
  counts: Map<string, number>,
  quota: { share: number; extras: number },
): Generator<string, undefined> {
  let short = members.filter((member) => (counts.get(member) ?? 0) < quota.share);
  while (short.length > 0) {
    for (const member of short) {
      counts.set(member, (counts.get(member) ?? 0) + 1);
      yield member;
    }
    short = short.filter((member) => (counts.get(member) ?? 0) < quota.share);
  }
  let { extras } = quota;
  for (const member of members) {
    if (extras === 0) return undefined;
    if ((counts.get(member) ?? 0) > quota.share) continue;
    extras -= 1;
    yield member;
  }
  return undefined;
}
