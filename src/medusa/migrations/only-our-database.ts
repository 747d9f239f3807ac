import Module from 'node:module';
import { FOREIGN_DATABASE_CODE } from './foreign-database-code.ts';

/**
 * Loaded with `--import` into the `medusa db:migrate` that we start, and into what that forks. A
 * project may name its database in `medusa-config` without `DATABASE_URL`, or give a module one of its
 * own: nobody asked us to migrate those. So a connection to any other server ends the run before it
 * is opened.
 */
interface Connectable {
  host?: unknown;
  port?: unknown;
  connect(...args: unknown[]): unknown;
}

const PG_REQUEST = /(?:^|[\\/])pg(?:[\\/]lib(?:[\\/]index(?:\.js)?)?)?$/;
// Read now: the CLI loads `.env` later, and a config may change the variable.
const ours = new URL(process.env.DATABASE_URL ?? 'postgres://127.0.0.1:5432');
const guarded = new WeakSet<object>();

const load: unknown = Reflect.get(Module, '_load');
if (typeof load === 'function') {
  // Each copy of `pg` in the tree has its own class, so they are met where they are required.
  Reflect.set(Module, '_load', function loadGuarded(this: unknown, ...args: unknown[]): unknown {
    const exported: unknown = Reflect.apply(load, this, args);
    if (PG_REQUEST.test(String(args[0]))) {
      guard(exported);
    }
    return exported;
  });
}

function guard(exported: unknown): void {
  const client = clientPrototype(exported);
  if (client === undefined || guarded.has(client)) {
    return;
  }
  guarded.add(client);
  const connect = client.connect;
  client.connect = function connectGuarded(this: Connectable, ...args: unknown[]): unknown {
    if (String(this.host) !== ours.hostname || String(this.port) !== ours.port) {
      process.stderr.write(
        `\nmedusa-vite: The project connects to the database server \`${String(this.host)}:${String(this.port)}\`, not to the one that was started for it; its migrations were not run.\n`,
        () => process.exit(FOREIGN_DATABASE_CODE),
      );
      // Never settles: nothing may happen between here and the exit.
      return new Promise(() => {});
    }
    return Reflect.apply(connect, this, args);
  };
}

function clientPrototype(exported: unknown): Connectable | undefined {
  if (typeof exported !== 'object' || exported === null || !('Client' in exported)) {
    return undefined;
  }
  const { Client } = exported;
  const prototype: unknown = typeof Client === 'function' ? Client.prototype : undefined;
  const isConnectable =
    typeof prototype === 'object' && prototype !== null && 'connect' in prototype;
  return isConnectable ? (prototype as Connectable) : undefined;
}
