import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { SubscribersReloader } from '../../../../src/app/reloaders/subscribers.ts';
import { Subscriptions } from '../../../../src/medusa/events/subscriptions.ts';
import { fakePackages } from '../support/fake-packages.ts';
import { project, ROOT, takeLines } from '../support/memory-app.ts';
import type { Files } from '../support/memory-host.ts';

const A = 'src/subscribers/a.ts';
const B = 'src/subscribers/b.ts';

type Listener = (data: unknown) => unknown;
interface Subscriber {
  fileName: string;
  config: { event: string | string[]; context?: { subscriberId?: string } };
  handler: Listener;
}

/** Medusa's local event bus, as in 2.12.1: it does not find a listener again that it has attached. */
class EventBus {
  readonly eventToSubscribersMap_ = new Map<string, { id: string; subscriber: Listener }[]>();
  readonly eventEmitter_ = new EventEmitter();
  subscribe(event: string, subscriber: Listener, { subscriberId: id }: { subscriberId: string }) {
    const present = this.eventToSubscribersMap_.get(event) ?? [];
    if (present.some((one) => one.id === id)) {
      throw new Error(`Subscriber with id ${id} already exists`);
    }
    this.eventToSubscribersMap_.set(event, [...present, { id, subscriber }]);
    this.eventEmitter_.on(event, (data) => subscriber(data));
  }
  unsubscribe() {}
}

/** A bus that uses no class of Medusa. */
class ForeignBus {
  readonly subscribers: { event: string; id: string; subscriber: Listener }[] = [];
  subscribe(event: string, subscriber: Listener, { subscriberId: id }: { subscriberId: string }) {
    this.subscribers.push({ event, id, subscriber });
  }
  unsubscribe(
    event: string,
    _subscriber: Listener,
    { subscriberId: id }: { subscriberId: string },
  ) {
    const index = this.subscribers.findIndex((one) => one.event === event && one.id === id);
    this.subscribers.splice(index, 1);
  }
}

async function subscriberProject<Bus extends EventBus | ForeignBus>(files: Files, bus: Bus) {
  /** As in `framework/dist/subscribers/subscriber-loader.js`. */
  class SubscriberLoader {
    validateSubscriber({
      default: handler,
      config,
    }: {
      default?: unknown;
      config?: { event?: unknown };
    }) {
      return typeof handler === 'function' && config?.event !== undefined;
    }
    inferIdentifier(fileName: string, { context }: Subscriber['config'], handler: Listener) {
      return (
        context?.subscriberId ??
        (handler.name && handler.name !== '_default' ? handler.name : fileName)
      );
    }
    createSubscriber({ fileName, config, handler }: Subscriber) {
      const subscriberId = this.inferIdentifier(fileName, config, handler);
      for (const event of [config.event].flat()) {
        bus.subscribe(event, (data) => handler(data), { subscriberId });
      }
    }
  }
  const packages = fakePackages({
    '@medusajs/framework/dist/subscribers/subscriber-loader.js': { SubscriberLoader },
  });
  const subscriptions = new Subscriptions(packages, () => ({ resolve: () => bus }) as never);
  const app = await project(files, { reloaders: [new SubscribersReloader(ROOT, subscriptions)] });
  for (const path of app.host.paths.filter((one) => one.startsWith('src/subscribers/'))) {
    const { default: handler, config } = (await app.load(path)) as {
      default: Listener;
      config: Subscriber['config'];
    };
    if (config) {
      new SubscriberLoader().createSubscriber({ fileName: app.host.fileOf(path), config, handler });
    }
  }
  app.takeEvaluated();
  return app;
}

async function localProject(files: Files) {
  const bus = new EventBus();
  const app = await subscriberProject(files, bus);
  const emit = (event: string) => {
    bus.eventEmitter_.emit(event, event);
    return takeLines();
  };
  return Object.assign(app, { bus, emit });
}

const subscriber = (text: string, config = `{ event: 'placed' }`) =>
  `export default async function handle() { log('${text}') } export const config = ${config};`;

describe('the body of a subscriber', () => {
  it('is swapped, and the subscription stays', async () => {
    const app = await localProject({ [A]: subscriber('old') });
    const [listener] = app.bus.eventEmitter_.listeners('placed');
    expect(await app.save({ [A]: subscriber('new') })).toMatchObject({
      resources: ['subscriber a'],
    });
    expect(app.emit('placed')).toEqual(['new']);
    expect(app.bus.eventEmitter_.listeners('placed')).toEqual([listener]);
  });

  it('stays if the next one throws', async () => {
    const app = await localProject({ [A]: subscriber('old') });
    await app.save({ [A]: `${subscriber('new')} throw new Error('oops');` });
    expect(app.emit('placed')).toEqual(['old']);
  });
});

describe('a subscription', () => {
  it.each([
    ['another event', `{ event: 'paid' }`, 'paid'],
    ['several events', `{ event: ['placed', 'paid'] }`, 'paid'],
    ['another context', `{ event: 'placed', context: { subscriberId: 'a' } }`, 'placed'],
  ])(
    'with %s takes the place of the old one, of which nothing stays',
    async (_what, config, event) => {
      const app = await localProject({ [A]: subscriber('old') });
      await app.save({ [A]: subscriber('new', config) });
      expect(app.emit(event)).toEqual(['new']);
      expect(app.emit('placed')).toEqual(config.includes('placed') ? ['new'] : []);
    },
  );

  it('with the name of another function is a new one', async () => {
    const app = await localProject({ [A]: subscriber('old') });
    await app.save({ [A]: subscriber('new').replace('handle', 'renamed') });
    expect(app.bus.eventToSubscribersMap_.get('placed')?.map(({ id }) => id)).toEqual(['renamed']);
    expect(app.emit('placed')).toEqual(['new']);
  });

  it('comes with a new file, and goes with a deleted one', async () => {
    const app = await localProject({ [A]: subscriber('a') });
    await app.save({ [B]: subscriber('b').replace('handle', 'other') });
    expect(app.emit('placed')).toEqual(['a', 'b']);
    expect(await app.save({}, { deleted: [A] })).toMatchObject({
      resources: ['subscriber a (removed)'],
    });
    expect(app.emit('placed')).toEqual(['b']);
  });

  it('goes while `defineFileConfig` switches the file off', async () => {
    const app = await localProject({ [A]: subscriber('a') });
    await app.save({ [A]: `defineFileConfig({ isDisabled: () => true }); ${subscriber('off')}` });
    expect(app.emit('placed')).toEqual([]);
    await app.save({ [A]: subscriber('on') });
    expect(app.emit('placed')).toEqual(['on']);
  });

  it('goes when the file is no subscriber any more, and comes back', async () => {
    const app = await localProject({ [A]: subscriber('a') });
    expect(await app.save({ [A]: `export const config = {};` })).toMatchObject({
      resources: ['subscriber a (removed)'],
    });
    expect(app.emit('placed')).toEqual([]);
    expect(await app.save({ [A]: `export const config = { n: 1 };` })).toMatchObject({
      resources: [],
    });
    await app.save({ [A]: subscriber('back') });
    expect(app.emit('placed')).toEqual(['back']);
  });

  it('under an id that is taken is refused, with the file at fault', async () => {
    const app = await localProject({
      [A]: subscriber('a'),
      [B]: subscriber('b').replace('handle', 'other'),
    });
    expect(await app.save({ [B]: subscriber('b') })).toMatchObject({
      type: 'kept-previous',
      error: { message: 'Subscriber with id handle already exists', file: `${ROOT}/${B}` },
    });
    expect(app.emit('placed')).toEqual(['a', 'b']);
  });

  it('may trade its id with that of another', async () => {
    const named = (text: string, id: string) =>
      subscriber(text, `{ event: 'placed', context: { subscriberId: '${id}' } }`);
    const app = await localProject({ [A]: named('a', 'one'), [B]: named('b', 'two') });
    expect(await app.save({ [A]: named('a', 'two'), [B]: named('b', 'one') })).toMatchObject({
      type: 'reloaded',
    });
    expect(app.emit('placed').sort()).toEqual(['a', 'b']);
    expect(app.bus.eventToSubscribersMap_.get('placed')).toHaveLength(2);
  });
});

it('a bus that uses no class of Medusa is told to unsubscribe', async () => {
  const bus = new ForeignBus();
  const app = await subscriberProject({ [A]: subscriber('a') }, bus);
  await app.save({ [A]: subscriber('b', `{ event: 'paid' }`) });
  expect(bus.subscribers).toMatchObject([{ event: 'paid', id: 'handle' }]);
});

it.each(['src/subscribers/_helper.ts', 'src/subscribers/index.ts', 'src/subscribers/a.test.ts'])(
  '%s is no subscriber, whatever it exports',
  async (path) => {
    const app = await localProject({ [A]: subscriber('a') });
    await app.save({ [path]: subscriber('helper') });
    expect(app.emit('placed')).toEqual(['a']);
  },
);
