import type { MedusaContainer } from '../boot/loaded-app.ts';
import type { MedusaPackages } from '../packages.ts';

type Listener = (...args: unknown[]) => unknown;

/** The part of Medusa's event buses that is used here; the emitter is the local bus's. */
interface EventBus {
  eventToSubscribersMap_?: Map<string, { id: string; subscriber: Listener }[]>;
  eventEmitter_?: {
    listeners(event: string): Listener[];
    off(event: string, listener: Listener): unknown;
  };
  unsubscribe(event: string, subscriber: Listener, context: { subscriberId: string }): unknown;
}

interface SubscriberConfig {
  event: string | string[];
  context?: { subscriberId?: string };
}

export interface Subscriber {
  fileName: string;
  config: SubscriberConfig;
  handler: Listener;
}

interface SubscriberLoader {
  onFileLoaded(path: string, exports: object): Promise<void>;
  validateSubscriber(exports: object, path: string): boolean;
  inferIdentifier(fileName: string, config: SubscriberConfig, handler: Listener): string;
  createSubscriber(subscriber: Subscriber): void;
}
type SubscriberLoaderClass = (new (
  sourceDir: string[],
  options: object,
  container: MedusaContainer,
) => SubscriberLoader) & { prototype: SubscriberLoader };

interface Subscription {
  event: string;
  id: string;
  listeners: Listener[];
}

/**
 * Remembers what Medusa's loader subscribed for each file, down to the listener that the local event bus
 * wraps around a handler: 2.12.1 cannot find that one again, and leaves it attached on `unsubscribe`.
 * (`framework/dist/subscribers/subscriber-loader.js`, 2.12.1 to 2.21.2)
 */
export class Subscriptions {
  readonly #loader: SubscriberLoaderClass;
  readonly #container: () => MedusaContainer;
  readonly #byFile = new Map<string, Subscription[]>();

  /** @param container Medusa's own, once the app is loaded. */
  constructor(packages: MedusaPackages, container: () => MedusaContainer) {
    this.#container = container;
    const path = 'dist/subscribers/subscriber-loader.js';
    const exports = packages.require('@medusajs/framework', path);
    const where = `@medusajs/framework/${path}#SubscriberLoader`;
    packages.assertReplaceable(exports, 'SubscriberLoader', where);
    this.#loader = exports.SubscriberLoader as SubscriberLoaderClass;
    const { prototype } = this.#loader;
    for (const method of ['createSubscriber', 'inferIdentifier', 'validateSubscriber'] as const) {
      if (typeof prototype[method] !== 'function') {
        throw packages.unexpected(`${where}.${method}`);
      }
    }
    const create = prototype.createSubscriber;
    const record = (loader: SubscriberLoader, subscriber: Subscriber, bus: EventBus) =>
      this.#record(loader, subscriber, bus, () => create.call(loader, subscriber));
    const resolveBus = () => this.#bus();
    prototype.createSubscriber = function (subscriber) {
      record(this, subscriber, resolveBus());
    };
  }

  /** @returns undefined if Medusa would skip the file, with the warning that it prints at boot. */
  read(file: string, exports: Record<PropertyKey, unknown>): Subscriber | undefined {
    const loader = this.#createLoader();
    if (!loader.validateSubscriber(exports, file)) {
      return undefined;
    }
    const { config, default: handler } = exports;
    return { fileName: file, config: config as SubscriberConfig, handler: handler as Listener };
  }

  idOf({ fileName, config, handler }: Subscriber): string {
    return this.#createLoader().inferIdentifier(fileName, config, handler);
  }

  /** Whether another file has this id on this event, which Medusa refuses. */
  isTaken(event: string, id: string, except: ReadonlySet<string>): boolean {
    const own = [...except].flatMap((file) => this.#byFile.get(file) ?? []);
    const subscribers = this.#bus().eventToSubscribersMap_?.get(event) ?? [];
    return (
      subscribers.some((subscriber) => subscriber.id === id) &&
      !own.some((subscription) => subscription.event === event && subscription.id === id)
    );
  }

  subscribe(subscriber: Subscriber): void {
    this.#createLoader().createSubscriber(subscriber);
  }

  unsubscribe(file: string): void {
    const bus = this.#bus();
    for (const { event, id, listeners } of this.#byFile.get(file) ?? []) {
      const subscribers = bus.eventToSubscribersMap_?.get(event);
      if (subscribers) {
        bus.eventToSubscribersMap_?.set(
          event,
          subscribers.filter((subscriber) => subscriber.id !== id),
        );
      } else {
        // A bus that is not built on Medusa's own base class.
        bus.unsubscribe(event, () => {}, { subscriberId: id });
      }
      for (const listener of listeners) {
        bus.eventEmitter_?.off(event, listener);
      }
    }
    this.#byFile.delete(file);
  }

  #record(
    loader: SubscriberLoader,
    subscriber: Subscriber,
    bus: EventBus,
    create: () => void,
  ): void {
    const { fileName, config, handler } = subscriber;
    const id = loader.inferIdentifier(fileName, config, handler);
    const events = [config.event].flat();
    const listenersOf = (event: string) => bus.eventEmitter_?.listeners(event) ?? [];
    const before = new Map(events.map((event) => [event, listenersOf(event)]));
    create();
    const subscriptions = events.map((event) => ({
      event,
      id,
      listeners: listenersOf(event).filter((listener) => !before.get(event)?.includes(listener)),
    }));
    this.#byFile.set(fileName, [...(this.#byFile.get(fileName) ?? []), ...subscriptions]);
  }

  #createLoader(): SubscriberLoader {
    return new this.#loader([], {}, this.#container());
  }

  #bus(): EventBus {
    return this.#container().resolve<EventBus>('event_bus');
  }
}
