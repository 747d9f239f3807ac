import type { ReloadFile } from '../protocol/messages.ts';

/** Brings the resources of one kind up to date. */
export interface Reloader {
  readonly name: string;
  /**
   * Gets ready to switch to the new version, beside the running one. Nothing may be visible yet.
   * @throws what is wrong with the user's code; the previous version then stays.
   */
  prepare(files: ReloadFile[], context: ReloadContext): Promise<PreparedReload>;
}

export interface ReloadContext {
  /** Exports of a project file, evaluated anew if the save made it out of date. */
  importFile(file: string): Promise<Record<string, unknown>>;
}

export interface PreparedReload {
  /** Human words for what was brought up to date, e.g. `route GET /store/brands`. */
  resources: string[];
  /** Switches over, synchronously. A throw here means that the app has to be restarted. */
  commit(): void;
  /** Takes back what `prepare` did. */
  rollback?(): void;
  /** Cleans up after the old version, once the new one serves. */
  dispose?(): Promise<void>;
}
