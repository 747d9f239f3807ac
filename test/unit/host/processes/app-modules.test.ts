import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AppModules } from '../../../../src/host/processes/app-modules.ts';
import {
  CHANNEL_HEADER_BYTES,
  type ChannelRequest,
  encodeChannelMessage,
} from '../../../../src/protocol/channel.ts';
import type { Transformer } from '../../../../src/vite/transformer.ts';

const OUTER = '/shop/src/workflows/outer.ts';
const INNER = '/shop/src/workflows/inner.ts';
const HELPER = '/shop/src/lib/helper.ts';

describe('a module that nothing imports any more', () => {
  it('is forgotten', () => {
    const { modules, imports } = create();
    imports.set(OUTER, [HELPER]);
    modules.accept({ [OUTER]: { code: '1' }, [HELPER]: { code: '1' } });
    modules.own([{ file: OUTER, change: 'create' }]);
    imports.set(OUTER, []);
    modules.accept({ [OUTER]: { code: '2' } });
    expect(modules.takeOrphans()).toEqual([HELPER]);
    expect(modules.modulesOf(HELPER)).toEqual([]);
  });

  // Caused by entries that only the boot reported: a workflow that was added later lost its module with its
  // last importer, and no later change or deletion of it reached the app.
  it('stays if it is a resource that was added while the app ran', () => {
    const { modules, imports } = create();
    imports.set(OUTER, [INNER]);
    modules.accept({ [OUTER]: { code: '1' }, [INNER]: { code: '1' } });
    modules.own([
      { file: OUTER, change: 'create' },
      { file: INNER, change: 'create' },
    ]);
    imports.set(OUTER, []);
    modules.accept({ [OUTER]: { code: '2' } });
    expect(modules.takeOrphans()).toEqual([]);
    expect(modules.modulesOf(INNER)).toEqual([INNER]);
    modules.own([{ file: INNER, change: 'delete' }]);
    expect(modules.isEntry(INNER)).toBe(false);
  });
});

it('reports each newly loaded module once', () => {
  const { modules } = create();
  modules.accept({ [OUTER]: { code: '1' } });
  expect(modules.takeAdded()).toEqual([OUTER]);
  modules.accept({ [OUTER]: { code: '2' }, [HELPER]: { code: '1' } });
  expect(modules.takeAdded()).toEqual([HELPER]);
  expect(modules.takeAdded()).toEqual([]);
});

// Caused by a first import at the moment of a change: the update missed the module, and the app kept the old code.
it('sends the latest code of a module that changes while it is transformed', async () => {
  const pipe = new FakePipe();
  let revision = 1;
  let source = 'old';
  const transformer = {
    get revision() {
      return revision;
    },
    importsOf: () => [],
    idsOf: () => [],
    staticImportsOf: () => [],
    transform: async () => {
      const code = source;
      if (source === 'old') {
        await Promise.resolve();
        source = 'new';
        revision++;
      }
      return { code };
    },
  } as unknown as Transformer;
  const modules = new AppModules(transformer);
  modules.serve(pipe);
  const reply = await pipe.ask({ type: 'fetch', id: HELPER, importer: undefined });
  expect(reply).toEqual({ type: 'modules', modules: { [HELPER]: { code: 'new' } } });
  expect(modules.isFetched(HELPER)).toBe(true);
  modules.takeAdded();
  expect(modules.isFetched(HELPER)).toBe(false);
});

/** The app's end of the channel. */
class FakePipe extends Duplex {
  #onReply: ((reply: unknown) => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#onReply?.(JSON.parse(chunk.subarray(CHANNEL_HEADER_BYTES).toString('utf8')));
    done();
  }

  ask(request: ChannelRequest): Promise<unknown> {
    this.push(encodeChannelMessage(request));
    return new Promise((resolve) => {
      this.#onReply = resolve;
    });
  }
}

function create(): { modules: AppModules; imports: Map<string, string[]> } {
  const imports = new Map<string, string[]>();
  const transformer = {
    importsOf: (id: string) => imports.get(id) ?? [],
    idsOf: () => [],
  } as unknown as Transformer;
  return { modules: new AppModules(transformer), imports };
}
