import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModuleLoader } from '../../../../src/medusa/modules/module-loader.ts';
import {
  type ModuleContainer,
  StagedContainer,
} from '../../../../src/medusa/modules/staged-container.ts';
import { REPOSITORY } from '../../../e2e/support/repository.ts';

interface Container extends ModuleContainer {
  resolve(name: string): unknown;
  createScope(): Container;
}
interface Awilix {
  asFunction(make: () => unknown, options?: object): Resolver;
  asValue(value: unknown): Resolver;
}
type Resolver = Parameters<ModuleContainer['register']>[0] &
  object & {
    singleton(): Resolver;
    scoped(): Resolver;
    disposer(dispose: (value: never) => unknown): Resolver;
  };

// Medusa's own container and its awilix: light enough, and what the loaders of a module get.
const path = 'node_modules/@medusajs/utils/dist/common/medusa-container.js';
const require = createRequire(join(REPOSITORY, path));
const { createMedusaContainer } = require(join(REPOSITORY, path)) as {
  createMedusaContainer(): Container;
};
const { asFunction, asValue } = require('@medusajs/deps/awilix') as Awilix;

/** A module's container, with what stands in for it. */
function stage(register: (container: Container) => void = () => {}) {
  const target = createMedusaContainer();
  register(target);
  const staged = new StagedContainer(target);
  return { target, staged, scope: staged.scope as Container };
}

describe('what a loader registers', () => {
  it('is seen by who asks the scope, and by the container once it is committed', () => {
    const { target, staged, scope } = stage((container) => {
      container.register('client', asValue('old') as never);
    });
    scope.register('client', asValue('new') as never);
    expect([scope.resolve('client'), target.resolve('client')]).toEqual(['new', 'old']);
    staged.commit();
    expect(target.resolve('client')).toBe('new');
  });

  it('may be several at once', () => {
    const { target, staged, scope } = stage();
    scope.register({ a: asValue(1), b: asValue(2) } as never);
    expect(staged.names).toEqual(['a', 'b']);
    staged.commit();
    expect([target.resolve('a'), target.resolve('b')]).toEqual([1, 2]);
  });

  it('is made once if it is a singleton, also where a service of the new version was first to ask', () => {
    let made = 0;
    const { target, staged, scope } = stage();
    scope.register('client', asFunction(() => ++made).singleton() as never);
    expect(scope.resolve('client')).toBe(1);
    // Until it counts, nobody else sees it.
    expect(target.cache.has('client')).toBe(false);
    staged.commit();
    expect([target.resolve('client'), target.createScope().resolve('client')]).toEqual([1, 1]);
    expect(made).toBe(1);
  });

  it('is made by the container if nobody has asked for it before', () => {
    let made = 0;
    const { target, staged, scope } = stage();
    scope.register('client', asFunction(() => ++made).singleton() as never);
    staged.commit();
    expect([target.resolve('client'), target.resolve('client')]).toEqual([1, 1]);
  });

  it('is made anew each time where it is no singleton', () => {
    let made = 0;
    const { target, staged, scope } = stage();
    scope.register('client', asFunction(() => ++made) as never);
    scope.resolve('client');
    staged.commit();
    expect([target.resolve('client'), target.resolve('client')]).toEqual([2, 3]);
  });

  it('has what it replaces disposed of, if that was made, after it serves', async () => {
    const log: string[] = [];
    const closing = (name: string) =>
      asFunction(() => name)
        .singleton()
        .disposer((value) => void log.push(`closed ${value}`)) as never;
    const { target, staged, scope } = stage((container) => {
      container.register('client', closing('old'));
      container.register('unused', closing('unused'));
    });
    target.resolve('client');
    scope.register({ client: closing('new'), unused: closing('new') } as never);
    const dispose = staged.commit();
    expect([target.resolve('client'), log]).toEqual(['new', []]);
    await dispose();
    expect(log).toEqual(['closed old']);
  });

  it('has all of it disposed of, also where one cannot be closed', async () => {
    const log: string[] = [];
    const closing = (name: string) =>
      asFunction(() => name)
        .singleton()
        .disposer((value) => {
          log.push(value);
          throw new Error(`${value} is stuck`);
        }) as never;
    const { target, staged, scope } = stage((container) => {
      container.register({ a: closing('a'), b: closing('b') } as never);
    });
    target.resolve('a');
    target.resolve('b');
    scope.register({ a: asValue(1), b: asValue(2) } as never);
    await expect(staged.commit()()).rejects.toMatchObject({
      errors: [{ message: 'a is stuck' }, { message: 'b is stuck' }],
    });
    expect(log).toEqual(['a', 'b']);
  });

  it('is missed if it was there before, and not among what is new', () => {
    const { staged, scope } = stage();
    scope.register('a', asValue(1) as never);
    expect(staged.missing(['a', 'b'])).toEqual(['b']);
  });

  it('in a list is noticed, since nothing takes it back', () => {
    const { staged, scope, target } = stage();
    expect(staged.hasAppended).toBe(false);
    scope.registerAdd?.('list', asValue(1));
    expect(staged.hasAppended).toBe(true);
    expect(target.registrations).not.toHaveProperty('list');
  });
});

it('a service that is made for the container is made for what is staged', () => {
  const { target, staged, scope } = stage();
  const other = {};
  const args = staged.replaceCradle([target.cradle, other]);
  expect(args[0]).toBe(scope.cradle);
  expect(args[1]).toBe(other);
});

describe('a loader', () => {
  /** As Medusa calls it. */
  async function load(loader: (options: { container: Container }, ...rest: unknown[]) => unknown) {
    const target = createMedusaContainer();
    const stable = new ModuleLoader(loader as never);
    await stable.call({ container: target, options: { url: 'a' } }, 'declaration');
    const staged = new StagedContainer(target);
    return { target, stable, staged };
  }

  it('is called with what Medusa called it with, and the scope in the place of the container', async () => {
    const { stable, staged } = await load(() => {});
    const calls: unknown[][] = [];
    await stable.rerun(
      (...args) => calls.push(args),
      () => staged,
    );
    expect(calls).toEqual([
      [{ container: expect.anything(), options: { url: 'a' } }, 'declaration'],
    ]);
    expect((calls[0]?.[0] as { container?: unknown } | undefined)?.container).toBe(staged.scope);
  });

  it('is called as often as Medusa did', async () => {
    const { stable, staged } = await load(() => {});
    await stable.call({});
    let calls = 0;
    await stable.rerun(
      () => calls++,
      () => staged,
    );
    expect(calls).toBe(2);
  });

  it('is the new version from the commit on', async () => {
    const log: string[] = [];
    const { stable, staged } = await load(() => log.push('old'));
    const next = () => log.push('new');
    const { commit } = await stable.rerun(next, () => staged);
    expect(stable.current).not.toBe(next);
    commit();
    expect(stable.current).toBe(next);
    await stable.call({});
    expect(log).toEqual(['old', 'new', 'new']);
  });

  it('tells what it has registered before and registers no more', async () => {
    const register = (...names: string[]) =>
      function load({ container }: { container: Container }) {
        for (const name of names) {
          container.register(name, asValue(name) as never);
        }
      };
    const { stable, staged, target } = await load(register('a', 'b'));
    const first = await stable.rerun(register('b', 'c') as never, () => staged);
    expect(first.missing).toEqual(['a']);
    // From the commit on it is the new names that count.
    first.commit();
    const second = await stable.rerun(register('b') as never, () => new StagedContainer(target));
    expect(second.missing).toEqual(['c']);
  });

  it('passes on what it throws', async () => {
    const { stable, staged } = await load(() => {});
    const rerun = stable.rerun(
      () => {
        throw new Error('no connection');
      },
      () => staged,
    );
    await expect(rerun).rejects.toThrow('no connection');
  });

  it('has the name of the first version: Medusa knows its own loaders by it', async () => {
    const { stable } = await load(function connectionLoader() {});
    expect(stable.call.name).toBe('connectionLoader');
  });
});
