import type { CompileContext, CompileSettings } from '../src/compile/compile-context';
import { compileUnit } from '../src/compile/compile-unit';
import type { NumericIds } from '../src/compile/numeric-ids';
import { ServiceReach } from '../src/compile/service-reach';
import {
  globalUnit,
  hostRouteUnit,
  identityUnit,
  interfaceUnit,
  labelUnit,
  nodeUnit,
  policyUnit,
  routeUnit,
  serviceUnit,
  vrfUnit,
} from '../src/compile/unit';
import type { Unit } from '../src/compile/unit';
import { EntryRecord } from '../src/engine/entry-record';
import type { Model } from '../src/model/model';
import { allowAllText, policyTextOf } from '../src/topology/network';
import { computeTopology } from '../src/topology/topology';

/**
 * Compiles every combination that could be an entry, from nothing: slow, and therefore a check of
 * what the incremental compiler thought it need not do.
 */
export function fullCompile(model: Model, ids: NumericIds, settings: CompileSettings): Map<string, EntryRecord> {
  const topology = computeTopology(model);
  const context: CompileContext = { model, topology, ids, settings, reach: new ServiceReach() };
  const records = new Map<string, EntryRecord>();
  const compile = (units: Iterable<Unit>): void => {
    for (const unit of units) {
      const compiled = compileUnit(context, unit);
      if (compiled === undefined) continue;
      const record = new EntryRecord(unit, compiled);
      records.set(unit.key, record);
      if (unit.kind === 'service') context.reach.replace(unit.key, unit.instance, record.interest?.backends ?? []);
    }
  };
  compile(serviceUnits(context));
  compile(otherUnits(context));
  return records;
}

function* serviceUnits({ model, topology }: CompileContext): Generator<Unit> {
  const seen = new Set<string>();
  for (const { instance } of topology.networks.values()) {
    for (const { address } of model.all('instance-ip')) {
      for (const { protocol, port } of model.all('loadbalancer-listener')) {
        const unit = serviceUnit(instance, { address, protocol, port });
        if (!seen.has(unit.key)) yield unit;
        seen.add(unit.key);
      }
    }
  }
}

function* otherUnits({ model, topology }: CompileContext): Generator<Unit> {
  const networks = [...topology.networks.values()];
  yield globalUnit;
  yield policyUnit(allowAllText);
  for (const { name } of model.all('virtual-router')) yield nodeUnit(name);
  for (const { uuid } of model.all('virtual-machine-interface')) yield interfaceUnit(uuid);
  for (const network of networks) {
    const { instance } = network;
    yield vrfUnit(instance);
    for (const part of network.parts) {
      yield identityUnit(part.identity);
      yield policyUnit(policyTextOf(network, part));
    }
    for (const { parts } of networks) for (const { identity } of parts) yield labelUnit(instance, identity);
    yield routeUnit(instance, { address: new Uint8Array(4), length: 0 });
    yield routeUnit(instance, { address: new Uint8Array(16), length: 0 });
    for (const { subnets } of networks) for (const { prefix } of subnets) yield routeUnit(instance, prefix);
    for (const { address } of model.all('instance-ip')) yield hostRouteUnit(instance, address);
    for (const { address } of model.all('alias-ip')) yield hostRouteUnit(instance, address);
    for (const { addresses } of model.all('virtual-router')) {
      for (const address of addresses) yield hostRouteUnit(instance, address);
    }
  }
}
