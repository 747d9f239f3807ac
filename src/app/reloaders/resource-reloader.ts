import type { ReloadFile } from '../../protocol/messages.ts';
import { describeReason, type RestartReason } from '../../protocol/reason.ts';
import type { ReloadedModule } from './public-reloader.ts';

/** Brings the resources of one kind up to date. */
export interface ResourceReloader {
  readonly name: string;
  /** Whether it evaluates the files by itself, if at all. @default false: they are, before it prepares */
  readonly isLazy?: boolean;
  /** Whether its files register what they define while they are evaluated, which nothing may interrupt. */
  readonly isRegistering?: boolean;
  /** Whether it knows of deferred files: see `ReloadContext`. */
  readonly isDeferring?: boolean;
  /** Whether the app would load this file by itself. @default all that the rules send here */
  accepts?(file: string): boolean;
  /**
   * Gets ready to switch to the new version, beside the running one. Nothing may be visible yet.
   * @throws what is wrong with the user's code; the previous version then stays.
   * @throws RestartNeeded if this change cannot be made in place.
   */
  prepare(files: ReloadFile[], context: ReloadContext): Promise<ResourceReload>;
}

export interface ReloadContext {
  /** Exports of a project file, evaluated anew if the save made it out of date. */
  importFile(file: string): Promise<Record<string, unknown>>;
  /** All that is out of date with this save, importers included. */
  readonly modules: readonly ReloadedModule[];
  /** Whether the file has switched itself off with `defineFileConfig`. */
  isDisabled(file: string): boolean;
  /**
   * Whether the file, whose own code is the same as before, is evaluated only after the reload: then ask
   * neither for its exports nor whether it is disabled, which cannot have changed.
   */
  isDeferred(file: string): boolean;
  /** To be called at commit for a deferred file: tells when it is evaluated. */
  defer(file: string, onEvaluated: (exports: Record<string, unknown>) => void): void;
  /** Evaluates a deferred file now, or when the reload that is under way has ended. */
  importLater(file: string): Promise<Record<string, unknown>>;
}

export interface ResourceReload {
  /** Human words for what was brought up to date, e.g. `route GET /store/brands`. */
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
