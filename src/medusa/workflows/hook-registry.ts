import type { MedusaPackages } from '../packages.ts';
import { composerGlobals } from './composer-globals.ts';
import type { Registry } from './registry.ts';

/** What `createWorkflow` hangs on to while, and after, a workflow is composed. */
interface ComposerContext {
  workflowId: string;
  handlers: Map<string, unknown>;
  hooks_: { registered: string[] };
  hooksCallback_: Record<string, HookFunction>;
}
type HookFunction = (this: ComposerContext, ...handlers: unknown[]) => unknown;

/** One `workflow.hooks.name(handler)`. */
interface Attachment {
  module: string;
  context: ComposerContext;
  name: string;
  /** The step that does nothing, which the workflow has without a handler. */
  idle: unknown;
  handler: unknown;
}

export interface HookRegistryOptions {
  packages: MedusaPackages;
  /** The module that is being evaluated. */
  owner(): string | undefined;
  /** The step handlers of the workflow that is registered under an id. */
  handlersOf(workflowId: string): Map<string, unknown> | undefined;
  /** Called before the handlers of the workflow that is registered under an id change for good. */
  beforeChange(workflowId: string): void;
}

/**
 * A workflow takes one handler per hook and has no way to give it back. Here every handler is remembered
 * with the module that attached it, so that the same module can attach its new version; two modules for
 * one hook are still refused. Handlers sit in the definition itself, which for core workflows is never
 * replaced. (`workflows-sdk/dist/utils/composer/create-hook.js`, the same in 2.12.1 and 2.21.2)
 */
export class HookRegistry implements Registry {
  readonly #handlersOf: HookRegistryOptions['handlersOf'];
  readonly #beforeChange: HookRegistryOptions['beforeChange'];
  #attached: Attachment[] = [];
  /** Set during a reload: what goes, and what comes. */
  #next: { removed: Attachment[]; added: Attachment[] } | undefined;
  #isShowingNext = false;

  constructor({ packages, owner, handlersOf, beforeChange }: HookRegistryOptions) {
    this.#handlersOf = handlersOf;
    this.#beforeChange = beforeChange;
    const path = 'dist/utils/composer/create-hook.js';
    const exports = packages.require('@medusajs/workflows-sdk', path);
    packages.assertReplaceable(exports, 'createHook', `@medusajs/workflows-sdk/${path}`);
    const { context: contextName } = composerGlobals(packages);
    const createHook = exports.createHook as (name: string, ...rest: unknown[]) => unknown;
    exports.createHook = (name: string, ...rest: unknown[]): unknown => {
      const hook = createHook(name, ...rest);
      const context = (globalThis as Record<string, unknown>)[contextName] as
        | ComposerContext
        | undefined;
      const attach = context?.hooksCallback_?.[name];
      if (!context || typeof attach !== 'function') {
        throw packages.unexpected(`@medusajs/workflows-sdk/${path}#createHook`);
      }
      context.hooksCallback_[name] = (...handlers: unknown[]): unknown => {
        const idle = context.handlers.get(name);
        const result = attach.apply(context, handlers);
        const module = owner();
        if (module !== undefined) {
          const handler = context.handlers.get(name);
          const attachment = { module, context, name, idle, handler };
          (this.#next?.added ?? this.#attached).push(attachment);
        }
        return result;
      };
      return hook;
    };
  }

  begin(modules: ReadonlySet<string>): void {
    this.#next = {
      removed: this.#attached.filter(({ module }) => modules.has(module)),
      added: [],
    };
  }

  keep(module: string): void {
    const kept = this.#next?.removed.filter((attachment) => attachment.module === module) ?? [];
    for (const attachment of kept) {
      this.#next?.removed.splice(this.#next.removed.indexOf(attachment), 1);
      if (this.#isShowingNext) {
        attach(attachment);
      }
    }
  }

  enter(): void {
    this.#next?.removed.forEach(detach);
    this.#next?.added.forEach(attach);
    this.#isShowingNext = true;
  }

  leave(): void {
    this.#next?.added.forEach(detach);
    this.#next?.removed.forEach(attach);
    this.#isShowingNext = false;
  }

  commit(): string[] {
    const next = this.#next;
    if (!next) {
      return [];
    }
    for (const { context } of [...next.removed, ...next.added]) {
      this.#beforeChange(context.workflowId);
    }
    // A workflow that was composed anew takes its handlers along: who still runs the old one needs them.
    next.removed.filter(({ context }) => this.#isServing(context)).forEach(detach);
    next.added.forEach(attach);
    this.#next = undefined;
    this.#attached = [
      ...this.#attached.filter((attachment) => !next.removed.includes(attachment)),
      ...next.added,
    ];
    const describe = ({ context, name }: Attachment) => `hook ${context.workflowId}.${name}`;
    const added = next.added.map(describe);
    const removed = next.removed.map(describe).filter((hook) => !added.includes(hook));
    return [...added, ...removed.map((hook) => `${hook} (removed)`)];
  }

  rollback(): void {
    this.#next = undefined;
  }

  #isServing({ workflowId, handlers }: ComposerContext): boolean {
    return this.#handlersOf(workflowId) === handlers;
  }
}

function attach({ context, name, handler }: Attachment): void {
  context.hooks_.registered.push(name);
  context.handlers.set(name, handler);
}

function detach({ context, name, idle }: Attachment): void {
  const index = context.hooks_.registered.indexOf(name);
  if (index !== -1) {
    context.hooks_.registered.splice(index, 1);
  }
  context.handlers.set(name, idle);
}
