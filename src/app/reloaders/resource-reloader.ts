import type { ReloadFile } from '../../protocol/messages.ts';
import { describeReason, type RestartReason } from '../../protocol/reason.ts';
import type { ReloadedModule } from './public-reloader.ts';

/** Brings the resources of one kind up to date. */
export interface ResourceReloader {
  readonly name: string;
  /** Whether the reloader evaluates its files itself, if at all. @default false: evaluated before `prepare` */
  readonly isLazy?: boolean;
  /** Whether its files register resources while they are evaluated: nothing may interrupt that. */
  readonly isRegistering?: boolean;
  /** Whether the reloader handles deferred files: see `ReloadContext`. */
  readonly isDeferring?: boolean;
  /** Whether the app would load this file by itself. @default every file that the rules send here */
  accepts?(file: string): boolean;
  /**
   * Gets the new version ready beside the one that serves. Nothing of it may be visible yet.
   * @throws any error in the user's code: the previous version is kept.
   * @throws RestartNeeded if this change cannot be made in place.
   */
  prepare(files: ReloadFile[], context: ReloadContext): Promise<ResourceReload>;
}

export interface ReloadContext {
  /** Exports of a project file, evaluated anew if the batch made it out of date. */
  importFile(file: string): Promise<Record<string, unknown>>;
  /** All modules that the batch made out of date, importers included. */
  readonly modules: readonly ReloadedModule[];
  /** Whether the file has switched itself off with `defineFileConfig`. */
  isDisabled(file: string): boolean;
  /**
   * Whether the file is evaluated only after the reload. Then ask neither for its exports nor whether it is
   * disabled: its own code is the same as before, so that cannot have changed.
   */
  isDeferred(file: string): boolean;
  /** Call this in `commit` for a deferred file: `onEvaluated` gets its exports when it is evaluated. */
  defer(file: string, onEvaluated: (exports: Record<string, unknown>) => void): void;
  /** Evaluates a deferred file now, or when the reload that is under way has ended. */
  importLater(file: string): Promise<Record<string, unknown>>;
}

export interface ResourceReload {
  /** Names of the updated resources, for the user, e.g. `route GET /store/brands`. */
  resources: string[];
  /** Switches over, synchronously. A throw here means that the app has to be restarted. */
  commit(): void;
  /** Takes back what `prepare` did. */
  rollback?(): void;
  /** Cleans up after the old version, once the new one serves. */
  dispose?(): Promise<void>;
}

/** Thrown by a reloader whose resource cannot be brought up to date in the running app. */
export class RestartNeeded extends Error {
  override readonly name = 'RestartNeeded';
  readonly reason: RestartReason;

  constructor(reason: RestartReason) {
    super(describeReason(reason));
    this.reason = reason;
  }
}
