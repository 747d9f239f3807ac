import { describe, expect, it } from 'vitest';
import { ServiceShell } from '../../../../src/medusa/modules/service-shell.ts';

type Any = Record<PropertyKey, unknown> & { [method: string]: (...args: unknown[]) => unknown };
type ServiceClass = ConstructorParameters<typeof ServiceShell>[0];

const UNCHANGED = { argsOf: (args: unknown[]) => args, assigned: () => ({}) };

/** A shell with one instance, made as Medusa makes it. */
function createService(service: ServiceClass, ...args: unknown[]) {
  const shell = new ServiceShell(service);
  const instance = new shell.proxy(...args) as Any;
  const replace = (next: ServiceClass, options = {}) => {
    const replacement = shell.replace(next, { ...UNCHANGED, ...options });
    replacement.commit();
    return replacement;
  };
  return { shell, instance, replace };
}

describe('an instance', () => {
  it('has the methods of the new class, and those that are gone no more', () => {
    const { instance, replace } = createService(
      class {
        greet() {
          return 'old';
        }
        gone() {}
      },
    );
    replace(
      class {
        greet() {
          return 'new';
        }
        come() {
          return 'here';
        }
      },
    );
    expect([instance.greet?.(), instance.come?.(), instance.gone]).toEqual([
      'new',
      'here',
      undefined,
    ]);
    expect(['gone' in instance, 'come' in instance]).toEqual([false, true]);
  });

  it('stays the very same object, of whichever class stands behind it', () => {
    class Old {}
    class New {}
    const { shell, instance, replace } = createService(Old);
    expect([instance instanceof Old, instance instanceof shell.proxy]).toEqual([true, true]);
    replace(New);
    expect([instance instanceof New, instance instanceof shell.proxy]).toEqual([true, true]);
    expect(instance.constructor).toBe(New);
  });

  it('is constructed anew with what the first one was constructed with, or what is said instead', () => {
    class Service {
      args: unknown[];
      constructor(...args: unknown[]) {
        this.args = args;
      }
    }
    const container = {};
    const { instance, replace } = createService(Service, container, 2);
    replace(class extends Service {});
    expect(instance.args).toEqual([container, 2]);
    expect((instance.args as unknown as unknown[])[0]).toBe(container);
    replace(class extends Service {}, { argsOf: ([, ...rest]: unknown[]) => ['staged', ...rest] });
    expect(instance.args).toEqual(['staged', 2]);
    // What the first one was constructed with is remembered, not what came in between.
    replace(class extends Service {});
    expect(instance.args).toEqual([container, 2]);
  });

  it('has private fields and accessors, whose `this` is what stands behind it', () => {
    const { instance } = createService(
      class {
        #count = 1;
        get count() {
          return this.#count;
        }
        add() {
          return ++this.#count;
        }
      },
    );
    expect([instance.count, instance.add?.(), instance.count]).toEqual([1, 2, 2]);
  });

  it('gives the same function each time, until it is replaced, also one that both classes inherit', () => {
    class Base {
      run() {
        return (this as unknown as Any).name;
      }
    }
    const { instance, replace } = createService(
      class extends Base {
        name = 'old';
      },
    );
    const { run } = instance;
    expect(instance.run).toBe(run);
    replace(
      class extends Base {
        name = 'new';
      },
    );
    expect(instance.run).not.toBe(run);
    // Who has taken it off before goes on with the old version.
    expect([run?.(), instance.run?.()]).toEqual(['old', 'new']);
  });

  it('has what is written on its functions', () => {
    const run = Object.assign(() => {}, { isTracked: true });
    const { instance } = createService(
      class {
        run = run;
      },
    );
    expect({ ...instance.run }).toEqual({ isTracked: true });
  });

  it('has members that are no methods: they can be read, written, listed and deleted', () => {
    const { shell, instance } = createService(
      class {
        a = 1;
        list = [1];
      },
    );
    const [behind] = shell.instances as Any[];
    instance.b = 2 as never;
    Object.defineProperty(instance, 'c', { value: 3, enumerable: true });
    delete instance.a;
    expect({ ...instance }).toEqual({ list: [1], b: 2, c: 3 });
    expect(behind).toEqual({ list: [1], b: 2, c: 3 });
    expect(instance.list).toBe(behind?.list);
    expect(Object.getOwnPropertyDescriptor(instance, 'b')).toMatchObject({ value: 2 });
    expect(Object.getOwnPropertyDescriptor(instance, 'a')).toBeUndefined();
  });

  it('has again what Medusa has written on it, or what Medusa would write on the new one', () => {
    const { instance, replace } = createService(class {});
    Object.assign(instance, { __definition: { key: 'brand' }, __joinerConfig: 'old', other: 1 });
    replace(class {});
    expect({ ...instance }).toEqual({ __definition: { key: 'brand' }, __joinerConfig: 'old' });
    const seen: unknown[] = [];
    replace(class {}, {
      assigned: (before: object) => {
        seen.push({ ...before });
        return { __joinerConfig: 'new' };
      },
    });
    expect({ ...instance }).toEqual({ __definition: { key: 'brand' }, __joinerConfig: 'new' });
    expect(seen).toEqual([{ __definition: { key: 'brand' }, __joinerConfig: 'old' }]);
  });

  it('that Medusa has written nothing on has nothing written on it', () => {
    const { instance, replace } = createService(class {});
    replace(class {});
    expect(Reflect.ownKeys(instance)).toEqual([]);
  });
});

describe('a replacement', () => {
  it('shows nothing until it is committed, and then in all instances', () => {
    const named = (name: string) =>
      class {
        name = name;
      };
    const { shell, instance } = createService(named('old'));
    const other = new shell.proxy() as Any;
    const Next = named('new');
    const { commit } = shell.replace(Next, UNCHANGED);
    expect([instance.name, other.name, shell.current === Next]).toEqual(['old', 'old', false]);
    commit();
    expect([instance.name, other.name, shell.current === Next]).toEqual(['new', 'new', true]);
    expect((new shell.proxy() as Any).name).toBe('new');
  });

  it('whose constructor throws has changed nothing', () => {
    const { shell, instance } = createService(
      class {
        name = 'old';
      },
    );
    class Broken {
      constructor() {
        throw new Error('oops');
      }
    }
    expect(() => shell.replace(Broken, UNCHANGED)).toThrow('oops');
    expect([instance.name, shell.instances.length]).toEqual(['old', 1]);
  });

  it('has the hooks of Medusa called: those of the old one that end it, and that of the new one that starts it', async () => {
    const log: string[] = [];
    const hooked = (name: string) =>
      class {
        __hooks = Object.fromEntries(
          ['onApplicationShutdown', 'onApplicationPrepareShutdown', 'onApplicationStart'].map(
            (hook) => [
              hook,
              async function (this: { name: string }) {
                await null;
                log.push(`${this.name} ${hook}`);
              },
            ],
          ),
        );
        name = name;
      };
    const { replace } = createService(hooked('old'));
    const { dispose } = replace(hooked('new'));
    expect(log).toEqual([]);
    await dispose();
    expect(log).toEqual([
      'old onApplicationPrepareShutdown',
      'old onApplicationShutdown',
      'new onApplicationStart',
    ]);
  });

  it('needs no hooks', async () => {
    const { replace } = createService(class {});
    await expect(replace(class {}).dispose()).resolves.toBeUndefined();
  });

  it('whose old version fails to end is started all the same', async () => {
    const log: string[] = [];
    const { replace } = createService(
      class {
        __hooks = {
          onApplicationShutdown: () => {
            throw new Error('still open');
          },
        };
      },
    );
    const { dispose } = replace(
      class {
        __hooks = { onApplicationStart: () => void log.push('started') };
      },
    );
    await expect(dispose()).rejects.toThrow('still open');
    expect(log).toEqual(['started']);
  });
});

describe('the class', () => {
  it('is seen as that which is current: its statics, its prototype and what it extends', () => {
    class Base {
      static inherited = 'yes';
      run() {}
    }
    class Old extends Base {
      static identifier = 'old';
    }
    class New extends Base {
      static identifier = 'new';
    }
    const { shell, replace } = createService(Old);
    const proxy = shell.proxy as unknown as Any;
    const read = () => [
      proxy.identifier,
      proxy.inherited,
      'identifier' in proxy,
      'missing' in proxy,
      proxy.prototype,
      Object.getPrototypeOf(proxy),
      Object.getOwnPropertyDescriptor(proxy, 'identifier')?.value,
      Object.getOwnPropertyDescriptor(proxy, 'prototype')?.value,
      Object.getOwnPropertyDescriptor(proxy, 'inherited'),
    ];
    const expected = (current: typeof Old) => [
      current.identifier,
      'yes',
      true,
      false,
      current.prototype,
      Base,
      current.identifier,
      current.prototype,
      undefined,
    ];
    expect(read()).toEqual(expected(Old));
    replace(New);
    expect(read()).toEqual(expected(New));
  });

  it('takes along the type that Medusa has written on it', () => {
    class Old {}
    class New {}
    const { shell, replace } = createService(Old);
    Object.assign(shell.proxy, { __type: 'file', other: 1 });
    expect({ ...Old }).toEqual({ __type: 'file', other: 1 });
    replace(New);
    expect({ ...New }).toEqual({ __type: 'file' });
    class Bare {}
    createService(class {}).replace(Bare);
    expect(Object.keys(Bare)).toEqual([]);
  });
});

it.each([
  ['prepares to shut down', { onApplicationPrepareShutdown: () => {} }, true],
  ['shuts down', { onApplicationShutdown: () => {} }, true],
  ['starts', { onApplicationStart: () => {} }, false],
  ['has no hooks', undefined, false],
  ['has a hook that is none', { onApplicationShutdown: 1 }, false],
])('an instance that %s may have something to close: %#', (_what, hooks, expected) => {
  const { shell } = createService(
    class {
      __hooks = hooks;
    },
  );
  expect(shell.hasShutdownHook).toBe(expected);
});
