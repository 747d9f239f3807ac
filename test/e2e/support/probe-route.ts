// Runs in the app, as `GET /probe` of a test's project: answers what is registered, and what is held in memory.

import { Module } from 'node:module';
import * as v8 from 'node:v8';

interface Timers {
  scheduled?: Map<string, { config: unknown; timer: NodeJS.Timeout }>;
  pendingTimers?: Set<unknown>;
}

/** Medusa's registries, which it keeps on the global object. */
interface Medusa {
  WorkflowManager: { workflows: Map<string, { handlers_: Map<string, unknown> }> };
  MedusaWorkflow: { workflows: Record<string, unknown> };
  WorkflowScheduler: { storage?: Timers };
  gc?(): void;
}

interface EventBus {
  eventToSubscribersMap_: Map<string, { id: string }[]>;
  eventEmitter_: {
    eventNames(): string[];
    listenerCount(event: string): number;
    listeners(event: string): object[];
  };
}

export interface Probe {
  /** Steps, by id of the workflow. */
  workflows: Record<string, string[]>;
  /** Ids that the workflow engine can run. */
  runners: string[];
  schedules: Record<string, unknown>;
  pendingTimers: number;
  /** Ids of the subscribers, by event. */
  subscribers: Record<string, string[]>;
  listeners: Record<string, number>;
  /** A number for each listener, which never changes. */
  listenerNumbers: Record<string, number[]>;
  processListeners: Record<string, number>;
  /** Listeners of the HTTP server, by event. */
  serverListeners: Record<string, number>;
  resources: Record<string, number>;
  memory: NodeJS.MemoryUsage;
  /** What is alive after a garbage collection, if one was asked for. */
  live: { modules: number; functions: number } | undefined;
}

interface Request {
  socket: { server: NodeJS.EventEmitter };
  scope: { resolve(key: string): unknown };
  query: Record<string, unknown>;
}

export function GET(
  { scope, query, socket }: Request,
  response: { json(body: Probe): void },
): void {
  const { WorkflowManager, MedusaWorkflow, WorkflowScheduler, gc } =
    globalThis as unknown as Medusa;
  const bus = scope.resolve('event_bus') as EventBus;
  const storage = WorkflowScheduler.storage;
  if (query.gc) {
    gc?.();
  }
  response.json({
    workflows: Object.fromEntries(
      [...WorkflowManager.workflows].map(([id, { handlers_ }]) => [id, [...handlers_.keys()]]),
    ),
    runners: Object.keys(MedusaWorkflow.workflows).sort(),
    schedules: Object.fromEntries(
      [...(storage?.scheduled ?? [])].map(([id, { config }]) => [id, config]),
    ),
    pendingTimers: storage?.pendingTimers?.size ?? 0,
    subscribers: Object.fromEntries(
      [...bus.eventToSubscribersMap_]
        .map(([event, subscribers]) => [event, subscribers.map(({ id }) => id)] as const)
        .filter(([, ids]) => ids.length > 0),
    ),
    listeners: Object.fromEntries(
      bus.eventEmitter_.eventNames().map((name) => [name, bus.eventEmitter_.listenerCount(name)]),
    ),
    listenerNumbers: Object.fromEntries(
      bus.eventEmitter_
        .eventNames()
        .map((name) => [name, bus.eventEmitter_.listeners(name).map(numberOf)]),
    ),
    processListeners: listenersOf(process),
    serverListeners: listenersOf(socket.server),
    resources: count(process.getActiveResourcesInfo()),
    memory: process.memoryUsage(),
    live: query.gc ? { modules: countLive(Module), functions: countLive(Function) } : undefined,
  });
}

/** Outlives this module, which is evaluated again like any other module. */
const lasting = globalThis as { probeNumbers?: WeakMap<object, number> };
lasting.probeNumbers ??= new WeakMap();
const numbers = lasting.probeNumbers;

function numberOf(listener: object): number {
  const known = numbers.get(listener) ?? Math.random();
  numbers.set(listener, known);
  return known;
}

function listenersOf(emitter: NodeJS.EventEmitter): Record<string, number> {
  return Object.fromEntries(
    emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]),
  );
}

/** Counts the live objects of a type; collects garbage first. */
function countLive(type: object): number {
  const { queryObjects } = v8 as unknown as {
    queryObjects(type: object, options: { format: 'count' }): number;
  };
  return queryObjects(type, { format: 'count' });
}

function count(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
