import type { ReloaderModule, ReloadFile } from '../../protocol/messages.ts';
import { MedusaViteError } from '../../shared/failure.ts';
import { isAbsoluteFile, relativeToRoot, toPosix } from '../../shared/paths.ts';
import type { Reloader as OwnReloader, ReloaderApp } from './public-reloader.ts';
import {
  type ReloadContext,
  type ResourceReload,
  type ResourceReloader,
  RestartNeeded,
} from './resource-reloader.ts';

/** The app serves nothing while a reloader starts. The boot itself takes this long on a busy machine. */
const START_LIMIT_MS = 10_000;

export interface AuthorsReloaderOptions {
  root: string;
  module: ReloaderModule;
  /** Exports of the module. */
  load(): Promise<object>;
  app: Pick<ReloaderApp, 'container' | 'express'>;
  /** Exports of a project file outside of a reload. */
  importFile(file: string): Promise<object>;
  /** Called with each file that the reloader imports: it is in use from then on. */
  onEntry(file: string): void;
  /** Called when the reloader cannot be used; the app goes on without it. */
  onFailure(error: Error): void;
  /** Gets the errors that change nothing. */
  onError(error: unknown): void;
}

/** A reloader that a user or a plugin author wrote: whatever it does, the app goes on. */
export class AuthorsReloader implements ResourceReloader {
  readonly name: string;
  /** The files are of any kind: only the author's code knows how to read them. */
  readonly isLazy = true;
  readonly #options: AuthorsReloaderOptions;
  /** Set once the reloader is loaded and has started. */
  #reloader: OwnReloader | undefined;

  constructor(options: AuthorsReloaderOptions) {
    this.#options = options;
    this.name = options.module.name;
  }

  /** Call this once, when the app is loaded. */
  async start(): Promise<void> {
    const { module, load, importFile, onFailure } = this.#options;
    const start = async () => {
      const reloader = readReloader(await load());
      await reloader.start?.(this.#createApp(importFile));
      return reloader;
    };
    try {
      this.#reloader = await limited(start());
    } catch (value) {
      const cause = toError(value);
      const { file, line, column, frame, stack } = cause as Error & Record<string, unknown>;
      const message =
        `The reloader \`${this.name}\`, named by ${module.owner}, cannot be used: ` +
        `${cause.message.replace(/\.?$/, '.')} Until it is mended, its files restart the app.`;
      // The place of the fault in the author's code, not the place where it was noticed.
      const place = { file, line, column, frame, stack };
      onFailure(Object.assign(new MedusaViteError(message, { code: 'RELOADER_FAILED' }), place));
    }
  }

  async prepare(files: ReloadFile[], context: ReloadContext): Promise<ResourceReload> {
    const { root, onError } = this.#options;
    const reloader = this.#reloader;
    if (!reloader) {
      throw new RestartNeeded({ type: 'reloader-unusable', reloader: this.name });
    }
    const changed = files.map(({ file, change }) => ({ path: relativeToRoot(root, file), change }));
    const prepared: unknown = await reloader.prepare(
      { files: changed, modules: context.modules },
      this.#createApp((file) => context.importFile(file)),
    );
    if (!hasMethod(prepared, 'commit')) {
      throw new MedusaViteError(
        `\`prepare\` of the reloader \`${this.name}\` has to return an object.`,
        {
          code: 'RELOADER_FAILED',
          hint: 'Return `{ commit() { … } }`, and switch over to the new version there.',
        },
      );
    }
    const { resources, commit, rollback, dispose } = bind(prepared);
    return {
      resources: resources ?? changed.map(({ path }) => path),
      commit: () => this.#commit(commit),
      rollback: () => void guard(rollback, onError),
      dispose: () => guard(dispose, onError),
    };
  }

  #commit(commit: () => unknown): void {
    let result: unknown;
    try {
      result = commit();
    } catch (cause) {
      throw new Error(`the reloader ${this.name}: ${toError(cause).message}`, { cause });
    }
    if (result instanceof Promise) {
      result.catch(this.#options.onError);
      throw new Error(`\`commit\` of the reloader ${this.name} is asynchronous`);
    }
  }

  #createApp(importFile: (file: string) => Promise<object>): ReloaderApp {
    const { root, app, onEntry } = this.#options;
    return {
      root,
      get container() {
        return app.container;
      },
      get express() {
        return app.express;
      },
      importFile: async <Exports extends object>(path: string): Promise<Exports> => {
        const posix = toPosix(path);
        const file = isAbsoluteFile(posix) ? posix : `${root}/${posix.replace(/^\.\//, '')}`;
        onEntry(file);
        return (await importFile(file)) as Exports;
      },
      needRestart: (text) => {
        throw new RestartNeeded({ type: 'asked-by-reloader', text });
      },
    };
  }
}

/** @throws MedusaViteError if the module exports no reloader */
function readReloader(exports: object): OwnReloader {
  const { default: outer = exports } = exports as { default?: unknown };
  // A default export that was compiled to CommonJS has a `default` of its own.
  const { default: inner } = Object(outer) as { default?: unknown };
  const found = [outer, inner].find((candidate) => hasMethod(candidate, 'prepare'));
  if (!found) {
    throw new MedusaViteError(
      'its default export has no `prepare`; write `defineReloader({ … })`.',
    );
  }
  return found as unknown as OwnReloader;
}

function hasMethod(value: unknown, name: string): value is Record<string, unknown> {
  return typeof (Object(value) as Record<string, unknown>)[name] === 'function';
}

interface BoundReload {
  resources: string[] | undefined;
  commit(): unknown;
  rollback(): unknown;
  dispose(): unknown;
}

function bind(prepared: Record<string, unknown>): BoundReload {
  const { resources } = prepared;
  const call = (name: string) => () => {
    const method = prepared[name];
    return typeof method === 'function' ? (method.call(prepared) as unknown) : undefined;
  };
  return {
    resources: Array.isArray(resources) ? resources.map(String) : undefined,
    commit: call('commit'),
    rollback: call('rollback'),
    dispose: call('dispose'),
  };
}

async function limited<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const late = new Error(`it has not started within ${START_LIMIT_MS / 1000} s`);
    timer = setTimeout(() => reject(late), START_LIMIT_MS);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

async function guard(run: () => unknown, onError: (error: unknown) => void): Promise<void> {
  try {
    await run();
  } catch (error) {
    onError(error);
  }
}

function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
