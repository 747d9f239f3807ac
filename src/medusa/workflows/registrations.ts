import { compareScanOrder } from '../boot/scan-order.ts';
import type { WorkflowDefinition, WorkflowSnapshot } from './workflow-store.ts';

/** One `createWorkflow`. Two with the same steps may share an id. */
export interface Registration {
  /** Undefined for a package, and for who registers by hand. */
  module: string | undefined;
  definition: WorkflowDefinition;
  runner: unknown;
  options: unknown;
}

/** By the id of the workflow, in the order of a cold start. */
export type Registrations = Map<string, Registration[]>;

/**
 * A module that registers again keeps its place; a new one comes where a scan would come upon it.
 * @param before those that serve, whose places count
 */
export function insert(
  added: Registration,
  { present, before }: { present: Registration[]; before: Registration[] },
): Registration[] {
  const placeOf = (one: Registration) =>
    before.findIndex((known) => known === one || isOfSameModule(known, one));
  const place = placeOf(added);
  const index = present.findIndex((other) => {
    const otherPlace = placeOf(other);
    return place === -1 || otherPlace === -1 ? comesFirst(added, other) : otherPlace > place;
  });
  return index === -1 ? [...present, added] : present.toSpliced(index, 0, added);
}

/**
 * Makes a workflow what its registrations make of it: Medusa runs the steps of who registered last, and what the
 * first one makes of their results. Without any, it is gone.
 */
export function serve(
  id: string,
  registrations: Registration[],
  { definitions, runners, options }: WorkflowSnapshot,
): void {
  const [first, last] = [registrations.at(0), registrations.at(-1)];
  if (first && last) {
    definitions.set(id, last.definition);
    runners[id] = first.runner;
    options[id] = last.options;
  } else {
    definitions.delete(id);
    delete runners[id];
    delete options[id];
  }
}

export function copy(id: string, from: WorkflowSnapshot, to: WorkflowSnapshot): void {
  const definition = from.definitions.get(id);
  if (definition) {
    to.definitions.set(id, definition);
    to.options[id] = from.options[id];
  }
  if (id in from.runners) {
    to.runners[id] = from.runners[id];
  }
}

/** As Medusa compares them: which steps there are, and in which order. */
export function stepsOf({ flow_: flow }: WorkflowDefinition): string | undefined {
  return JSON.stringify(flow, (key, value: unknown) => (key === 'uuid' ? undefined : value));
}

/** Of two files with one id, both may be evaluated anew, in any order. */
function isOfSameModule(one: Registration, other: Registration): boolean {
  return one.module !== undefined && one.module === other.module;
}

function comesFirst({ module }: Registration, other: Registration): boolean {
  return (
    module !== undefined && other.module !== undefined && compareScanOrder(module, other.module) < 0
  );
}
