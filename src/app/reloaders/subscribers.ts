import { SKIP_FILE } from '../../medusa/boot/file-config.ts';
import type { Subscriber, Subscriptions } from '../../medusa/events/subscriptions.ts';
import { isEntry, kindOf, resourceNameOf } from '../../project/layout.ts';
import type { ReloadFile } from '../../protocol/messages.ts';
import type { Exports } from '../../shared/exports.ts';
import { relativeToRoot } from '../../shared/paths.ts';
import { createStableFunction, type StableFunction } from '../reload/stable-function.ts';
import type { ReloadContext, ResourceReload, ResourceReloader } from './resource-reloader.ts';

interface Registered {
  shape: string;
  handler: StableFunction;
}

/** Subscribers: a new body is swapped in; another event or id is a new subscription. */
export class SubscribersReloader implements ResourceReloader {
  readonly name = 'subscribers';
  readonly #root: string;
  readonly #subscriptions: Subscriptions;
  readonly #registered = new Map<string, Registered>();

  constructor(root: string, subscriptions: Subscriptions) {
    this.#root = root;
    this.#subscriptions = subscriptions;
  }

  accepts(file: string): boolean {
    const path = relativeToRoot(this.#root, file);
    return kindOf(path) === 'subscriber' && isEntry(path);
  }

  /** Called for every file that Medusa's loaders import. */
  decorate(file: string, exports: Exports): Exports {
    const { default: handler, config } = exports;
    const isSubscriber =
      this.accepts(file) &&
      typeof handler === 'function' &&
      config instanceof Object &&
      !exports[SKIP_FILE];
    return isSubscriber ? { ...exports, default: this.#register(file, exports).handler } : exports;
  }

  async prepare(files: ReloadFile[], context: ReloadContext): Promise<ResourceReload> {
    const commits: (() => void)[] = [];
    const resources: string[] = [];
    const own = files.filter(({ file }) => this.accepts(file));
    const changing = new Set(own.map(({ file }) => file));
    for (const { file, change } of own) {
      const name = resourceNameOf(relativeToRoot(this.#root, file));
      const exports = change === 'delete' ? undefined : await context.importFile(file);
      const next =
        exports && !context.isDisabled(file) ? this.#subscriptions.read(file, exports) : undefined;
      const known = this.#registered.get(file);
      if (next && known?.shape === this.#shapeOf(next)) {
        const current = next.handler as StableFunction['current'];
        commits.push(() => {
          known.handler.current = current;
        });
        resources.push(`subscriber ${name}`);
        continue;
      }
      if (next) {
        this.#assertFree(next, changing);
      }
      if (!next && !known) {
        continue;
      }
      resources.push(next ? `subscriber ${name}` : `subscriber ${name} (removed)`);
      // All old subscriptions end before the first new one begins: two files may trade their ids.
      commits.unshift(() => {
        this.#subscriptions.unsubscribe(file);
        this.#registered.delete(file);
      });
      if (next && exports) {
        commits.push(() => {
          const { handler } = this.#register(file, exports);
          this.#subscriptions.subscribe({ ...next, handler });
        });
      }
    }
    return {
      resources,
      commit: () => {
        for (const commit of commits) {
          commit();
        }
      },
    };
  }

  #register(file: string, exports: Exports): { handler: Subscriber['handler'] } {
    const handler = createStableFunction(exports.default as StableFunction['current']);
    const subscriber = { fileName: file, config: exports.config, handler: handler.call };
    this.#registered.set(file, { shape: this.#shapeOf(subscriber as Subscriber), handler });
    return { handler: handler.call as Subscriber['handler'] };
  }

  #shapeOf(subscriber: Subscriber): string {
    const { config } = subscriber;
    return JSON.stringify([config.event, config.context, this.#subscriptions.idOf(subscriber)]);
  }

  #assertFree(subscriber: Subscriber, changing: ReadonlySet<string>): void {
    const id = this.#subscriptions.idOf(subscriber);
    for (const event of [subscriber.config.event].flat()) {
      if (this.#subscriptions.isTaken(event, id, changing)) {
        throw Object.assign(new Error(`Subscriber with id ${id} already exists`), {
          file: subscriber.fileName,
        });
      }
    }
  }
}
