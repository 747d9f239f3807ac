import type { MedusaPackages } from '../packages.ts';
import { composerGlobals } from './composer-globals.ts';
import {
  copy,
  insert,
  type Registration,
  type Registrations,
  serve,
  stepsOf,
} from './registrations.ts';
import type { Registry } from './registry.ts';
import type {
  StepHandlers,
  WorkflowDefinition,
  WorkflowSnapshot,
  WorkflowStore,
} from './workflow-store.ts';

/**
 * Workflows register by being evaluated, in places that refuse a second registration. Each reload
 * evaluates into copies of them, which take the place of the old ones in one step: no request ever sees a
 * workflow missing, and a composer that throws has not touched the running definition.
 */
export class WorkflowRegistry implements Registry {
  readonly #store: WorkflowStore;
  readonly #owner: () => string | undefined;
  readonly #schedule: (workflow: WorkflowDefinition) => Promise<void>;
  readonly #composerGlobals: string[];
  /** By the id of the workflow, in the order of a cold start. */
  #registrations: Registrations = new Map();
  /** Set during a reload. */
  #next: (WorkflowSnapshot & { registrations: Registrations }) | undefined;
  #serving: WorkflowSnapshot | undefined;

  /** @param owner The module that is being evaluated. */
  constructor(packages: MedusaPackages, store: WorkflowStore, owner: () => string | undefined) {
    this.#store = store;
    this.#owner = owner;
    this.#composerGlobals = Object.values(composerGlobals(packages));

    const { manager, engine } = store;
    const { scheduler } = manager;
    this.#schedule = scheduler.scheduleWorkflow.bind(scheduler);
    scheduler.scheduleWorkflow = async (workflow) => {
      // Timers are not copies: they change when the reload is committed.
      if (!this.#isShowingNext) {
        await this.#schedule(workflow);
      }
    };
    // An execution keeps the handlers that it began with: hooks change them in place.
    const buildHandlers = manager.buildHandlers;
    manager.buildHandlers =
      (handlers) =>
      (...run) =>
        buildHandlers.call(manager, new Map(handlers))(...run);
    // The last thing that `createWorkflow` does.
    const registerWorkflow = engine.registerWorkflow;
    engine.registerWorkflow = (id, runner) => {
      registerWorkflow.call(engine, id, runner);
      const definition = manager.workflows.get(id);
      if (definition) {
        const options = store.shown.options[id];
        this.#add(id, { module: this.#owner(), definition, runner, options });
      }
    };
  }

  begin(modules: ReadonlySet<string>): void {
    const next = this.#store.copy();
    const registrations = new Map(this.#registrations);
    for (const [id, all] of this.#registrations) {
      const kept = all.filter(({ module }) => module === undefined || !modules.has(module));
      if (kept.length < all.length) {
        registrations.set(id, kept);
        serve(id, kept, next);
      }
    }
    this.#next = { ...next, registrations };
  }

  keep(module: string): void {
    const next = this.#next;
    if (!next) {
      return;
    }
    const serving = this.#serving ?? this.#store.shown;
    for (const [id, before] of this.#registrations) {
      const own = before.filter((registration) => registration.module === module);
      for (const registration of own) {
        const present = next.definitions.get(id);
        if (present && stepsOf(present) !== stepsOf(registration.definition)) {
          // What Medusa says when a module is evaluated whose workflow is there already.
          throw new Error(`Workflow with id "${id}" and step definition already exists.`);
        }
        this.#add(id, registration);
      }
      const after = next.registrations.get(id) ?? [];
      if (own.length === 0) {
        continue;
      }
      if (before.length === after.length && before.every((one, index) => one === after[index])) {
        // As it was, also where the engine has been told to forget it.
        next.registrations.set(id, before);
        copy(id, serving, next);
      } else {
        serve(id, after, next);
      }
    }
  }

  enter(): void {
    if (this.#next) {
      this.#serving = this.#store.shown;
      this.#store.show(this.#next);
    }
  }

  leave(): void {
    // A composer that threw has left its context behind; every later step would join it.
    for (const name of this.#composerGlobals) {
      delete (globalThis as Record<string, unknown>)[name];
    }
    if (this.#serving) {
      this.#store.show(this.#serving);
      this.#serving = undefined;
    }
  }

  commit(): string[] {
    const next = this.#next;
    if (!next) {
      return [];
    }
    const before = this.#store.shown.definitions;
    const changed: string[] = [];
    for (const [id, registrations] of next.registrations) {
      if (registrations !== this.#registrations.get(id)) {
        serve(id, registrations, next);
      }
      if (registrations.length === 0) {
        next.registrations.delete(id);
      }
    }
    this.#store.show(next);
    this.#registrations = next.registrations;
    this.#next = undefined;
    for (const [id, workflow] of next.definitions) {
      const previous = before.get(id);
      if (previous !== workflow) {
        changed.push(previous ? `workflow ${id}` : `workflow ${id} (added)`);
        this.#reschedule(previous, workflow);
      }
    }
    for (const [id, workflow] of before) {
      if (!next.definitions.has(id)) {
        changed.push(`workflow ${id} (removed)`);
        this.#reschedule(workflow, undefined);
      }
    }
    return changed;
  }

  rollback(): void {
    const next = this.#next;
    this.#next = undefined;
    for (const [id, registrations] of next?.registrations ?? []) {
      // A package that was loaded meanwhile will not register again.
      const ofPackages = registrations.filter(({ module }) => module === undefined);
      if (ofPackages.length > 0 && !this.#store.shown.definitions.has(id)) {
        this.#registrations.set(id, ofPackages);
        serve(id, ofPackages, this.#store.shown);
      }
    }
  }

  handlersOf(id: string): StepHandlers | undefined {
    return this.#store.shown.definitions.get(id)?.handlers_;
  }

  /** Forgets a workflow of whoever registers and unregisters by hand, such as the jobs. */
  unregister(id: string): void {
    this.#registrations.delete(id);
    // An execution that runs still has what is shown now.
    const next = this.#store.copy();
    serve(id, [], next);
    this.#store.show(next);
  }

  clearSchedule(id: string): void {
    void this.#store.manager.scheduler.clearWorkflow({ id });
  }

  /** The engine alone forgets workflows of a file that `defineFileConfig` switched off, as at boot. */
  disable(id: string): void {
    delete (this.#next ?? this.#store.shown).runners[id];
  }

  #add(id: string, added: Registration): void {
    const registrations = this.#next?.registrations ?? this.#registrations;
    const present = registrations.get(id) ?? [];
    const before = this.#registrations.get(id) ?? [];
    registrations.set(id, insert(added, { present, before }));
  }

  get #isShowingNext(): boolean {
    return this.#serving !== undefined;
  }

  /** The timer of an unchanged schedule goes on: it finds the new definition by id. */
  #reschedule(
    previous: WorkflowDefinition | undefined,
    next: WorkflowDefinition | undefined,
  ): void {
    const before = previous?.options.schedule;
    const after = next?.options.schedule;
    if (JSON.stringify(before) === JSON.stringify(after)) {
      return;
    }
    if (next && after) {
      void this.#schedule(next);
    } else if (previous && before) {
      this.clearSchedule(previous.id);
    }
  }
}
