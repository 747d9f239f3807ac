export type FileChange = 'create' | 'update' | 'delete';

export interface Change {
  /** Absolute, posix. */
  file: string;
  change: FileChange;
  /** Set if the importers are brought up to date although the file accepts its own updates. */
  isForced?: boolean;
}
