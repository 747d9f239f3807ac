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
  /** Layers that are added to it come after Medusa's: a route belongs into `src/api`. */
  readonly express: ExpressApp;
  /** The project: absolute, with forward slashes. */
  readonly root: string;
  /**
   * Exports of a project file. In `prepare`, those of the version to come. What a reloader has imported is
   * known as in use from then on, whoever imports it besides.
   * @param path Relative to the project, or absolute.
   * @throws what the file throws; passed on, it keeps the previous version.
   */
  importFile<Exports extends object = Record<string, unknown>>(path: string): Promise<Exports>;
  /**
   * Gives up the reload: the app restarts instead.
   * @param reason Shown to the user.
   * @throws always
   */
  needRestart(reason: string): never;
}

/** What one save has brought. */
export interface ReloaderChange {
  /** Files for which a rule has named this reloader: saved ones, and those that import a saved one. */
  readonly files: readonly ReloaderFile[];
  /** All modules of the app that are out of date with this save, whichever reloader they are for. */
  readonly modules: readonly ReloadedModule[];
}

export interface ReloaderFile {
  /** Relative to the project, with forward slashes; absolute for a file outside of it. */
  readonly path: string;
  /** `update` also for a file that only imports the saved one. */
  readonly change: FileChange;
}

export interface ReloadedModule {
  /** Vite's id: the absolute path, and a query if it was imported with one. */
  readonly id: string;
  /** As in `ReloaderFile`. */
  readonly path: string;
  /** Exports of the version to come; undefined if it is gone, or not evaluated yet. */
  readonly exports: Record<string, unknown> | undefined;
  /** Exports of the version that serves; undefined if there is none. */
  readonly previous: Record<string, unknown> | undefined;
}

/** A new version that is ready, and not visible yet. */
export interface PreparedReload {
  /** Shown to the user as what was reloaded, e.g. `notice welcome`. @default the files */
  resources?: string[];
  /**
   * Switches over. Runs in one step with all other reloaders, so no request sees a part of a save. It must
   * be synchronous and must not fail: a throw, or a promise, restarts the app.
   */
  commit(): void;
  /** Takes back what `prepare` did, when another part of the save has failed. */
  rollback?(): void;
  /** Cleans up after the previous version, once the new one serves. An error is printed, and changes nothing. */
  dispose?(): void | Promise<void>;
}

/**
 * Brings files of one kind up to date in the running app. Medusa and this run in the same process, and one
 * save is one transaction: `prepare` for all reloaders, then `commit` for all, then `dispose`.
 */
export interface Reloader {
  /**
   * Called once for each run of the app, when it is loaded and takes no requests yet: to see what it has
   * registered, or to register what belongs to this kind.
   * @throws what is wrong: the app starts all the same, and what this reloader is for restarts it.
   */
  start?(app: ReloaderApp): void | Promise<void>;
  /**
   * Gets the new version ready beside the one that serves. Requests wait meanwhile, for 2 s at most; after
   * 20 s the app is restarted.
   * @throws what is wrong with the files: the previous version stays, and the user sees the error.
   */
  prepare(change: ReloaderChange, app: ReloaderApp): PreparedReload | Promise<PreparedReload>;
}

/**
 * For the types: gives back what it gets. To be the default export of the module that a rule names.
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
