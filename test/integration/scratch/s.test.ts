import { readdirSync } from 'node:fs';
import { it } from 'vitest';
import { listen } from '../../../src/host/listener.ts';
import { ConnectionChildren, kill, shutDown } from '../support/connection-children.ts';
import { Load, send } from '../support/http-load.ts';
it('x', async () => {
  console.log(process.version);
  const children = await ConnectionChildren.create();
  const listener = await listen({ port: 0, host: undefined, root: '/' });
  let { child } = await children.start(listener.port); listener.forwardTo(child);
  for (const [mode, swaps] of [['graceful', 200], ['kill', 40]] as const) {
    const fd0 = readdirSync('/proc/self/fd').length;
    const loads = [new Load({ port: listener.port, clients: 20, perSecond: 200, keepAlive: true }), new Load({ port: listener.port, clients: 10, perSecond: 100, keepAlive: false })];
    for (let i = 0; i < swaps; i++) {
      await send({ port: listener.port });
      if (mode === 'graceful') { listener.hold('r'); await shutDown(child); } else await kill(child);
      ({ child } = await children.start(listener.port)); listener.forwardTo(child);
    }
    await Promise.all(loads.map((l) => l.stop()));
    await new Promise((r) => setTimeout(r, 300));
    console.log(mode, swaps, loads.map((l) => [l.answered, l.failures.length, l.failures.slice(0, 3)]), 'fds', fd0, readdirSync('/proc/self/fd').length);
  }
  await listener.close(); await children.dispose();
}, 120_000);
