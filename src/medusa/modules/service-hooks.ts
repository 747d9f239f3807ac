import { runEach } from '../../shared/run-each.ts';

/** A service that wants to hear of the start, or the end, of the app. */
interface Hooked {
  __hooks?: Record<string, (() => unknown) | undefined>;
}

/** In the order in which Medusa calls them. (`modules-sdk/dist/medusa-module.js`, the same in 2.12.1 and 2.21.2) */
const SHUTDOWN_HOOKS = ['onApplicationPrepareShutdown', 'onApplicationShutdown'];

export function hasShutdownHook({ __hooks: hooks }: Hooked): boolean {
  return SHUTDOWN_HOOKS.some((name) => typeof hooks?.[name] === 'function');
}

export function runShutdownHooks(service: Hooked): Promise<void> {
  return runEach(SHUTDOWN_HOOKS.map((name) => () => service.__hooks?.[name]?.call(service)));
}

export async function runStartHook(service: Hooked): Promise<void> {
  await service.__hooks?.onApplicationStart?.call(service);
}
