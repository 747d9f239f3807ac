import type { ApiLoader } from '@medusajs/framework/http';
import type { MedusaContainer } from '@medusajs/framework/types';
import type { FileChange } from '../../shared/change.ts';

export type { FileChange } from '../../shared/change.ts';

/** Medusa's Express app. */
export type ExpressApp = ConstructorParameters<typeof ApiLoader>[0]['app'];

/** The running app, as a reloader sees it. */
export interface ReloaderApp {
  /** Medusa's own container: `req.scope` of every request is a scope of it. */
  readonly container: MedusaContainer;
  /** Layers that are added to it come after Medusa's: a route belongs in `src/api`. */
  readonly express: ExpressApp;
  /** The project: absolute, with forward slashes. */
  readonly root: string;
  /**
   * Exports of a project file; in `prepare`, those of the new version. A file that a reloader has imported counts
   * as in use from then on, whatever else imports it.
   * @param path Relative to the project, or absolute.
   * @throws the file's own error. Do not catch it: the previous version is then kept.
   */
  importFile<Exports extends object = Record<string, unknown>>(path: string): Promise<Exports>;
  /**
   * Gives up the reload: the app restarts instead.
   * @param reason Shown to the user.
   * @throws always
   */
  needRestart(reason: string): never;
}

/** The changes of one batch. */
export interface ReloaderChange {
  /** Files for which a rule names this reloader: changed ones, and those that import a changed one. */
  readonly files: readonly ReloaderFile[];
  /** All modules of the app that the batch makes out of date, whichever reloader they are for. */
  readonly modules: readonly ReloadedModule[];
}

export interface ReloaderFile {
  /** Relative to the project, with forward slashes; absolute for a file outside of it. */
  readonly path: string;
  /** `update` also for a file that only imports the changed one. */
  readonly change: FileChange;
}

export interface ReloadedModule {
  /** Vite's id: the absolute path, and a query if it was imported with one. */
  readonly id: string;
  /** As in `ReloaderFile`. */
  readonly path: string;
  /** Exports of the new version; undefined if the module is gone, or not evaluated yet. */
  readonly exports: Record<string, unknown> | undefined;
  /** Exports of the version that serves; undefined if there is none. */
  readonly previous: Record<string, unknown> | undefined;
}

/** A new version that is ready, and not visible yet. */
export interface PreparedReload {
  /** Shown to the user as what was reloaded, e.g. `notice welcome`. @default the files */
  resources?: string[];
  /**
   * Switches over. Runs in one step with all other reloaders, so no request sees a part of a batch. It must
   * be synchronous and must not fail: a throw, or a promise, restarts the app.
   */
  commit(): void;
  /** Takes back what `prepare` did, when another part of the batch has failed. */
  rollback?(): void;
  /** Cleans up after the previous version, once the new one serves. An error is printed, and changes nothing. */
  dispose?(): void | Promise<void>;
}

/**
 * Brings files of one kind up to date in the running app. A reloader runs in Medusa's process, and one batch is
 * one transaction: `prepare` for all reloaders, then `commit` for all, then `dispose`.
 */
export interface Reloader {
  /**
   * Called once for each run of the app, when the app is loaded and takes no requests yet: to see what Medusa has
   * registered, or to register resources of this kind.
   * @throws any error: the app starts all the same, and a change of this reloader's files restarts it.
   */
  start?(app: ReloaderApp): void | Promise<void>;
  /**
   * Gets the new version ready beside the one that serves. Requests wait meanwhile, for 2 s at most; after
   * 20 s the app is restarted.
   * @throws any error in the files: the previous version is kept, and the user sees the error.
   */
  prepare(change: ReloaderChange, app: ReloaderApp): PreparedReload | Promise<PreparedReload>;
}

/**
 * Returns its argument, with types. Make this the default export of the module that a rule names.
 *
 * @example
 * // reloaders/notices.ts, for { name: 'notices', match: 'src/notices/*.ts', action: { reloader: './reloaders/notices.ts' } }
 * export default defineReloader({
 *   async prepare({ files }, { container, importFile }) {
 *     const board = container.resolve<NoticeBoard>('noticeBoard');
 *     const next = new Map(board.notices);
 *     for (const { path, change } of files) {
 *       if (change === 'delete') next.delete(path);
 *       else next.set(path, (await importFile<{ default: Notice }>(path)).default);
 *     }
 *     return { commit: () => { board.notices = next; } };
 *   },
 * });
 */
export function defineReloader(reloader: Reloader): Reloader {
  return reloader;
}
