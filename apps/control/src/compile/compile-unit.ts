import type { CompileContext, CompiledEntry } from './compile-context';
import { compileGlobalConfig } from './global-config';
import { compileIdentity } from './identity';
import { compileInterface } from './interface';
import { compileLabel } from './label';
import { compileNode } from './node';
import { compilePolicyTable } from './policy-table';
import { compileRoute } from './route';
import { compileService } from './service';
import type { Unit } from './unit';
import { compileVrf } from './vrf';

/**
 * @returns undefined when the unit has no entry: nothing wants it.
 * @throws MissingNumber when a number for it is not allotted yet.
 */
export function compileUnit(context: CompileContext, unit: Unit): CompiledEntry | undefined {
  switch (unit.kind) {
    case 'global':
      return compileGlobalConfig(context);
    case 'node':
      return compileNode(context, unit);
    case 'identity':
      return compileIdentity(context, unit);
    case 'vrf':
      return compileVrf(context, unit);
    case 'label':
      return compileLabel(context, unit);
    case 'policy':
      return compilePolicyTable(context, unit);
    case 'interface':
      return compileInterface(context, unit);
    case 'route':
      return compileRoute(context, unit);
    case 'service':
      return compileService(context, unit);
  }
}
