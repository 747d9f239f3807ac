export type FileChange = 'create' | 'update' | 'delete';

export interface Change {
  /** Absolute, posix. */
  file: string;
  change: FileChange;
  /** Who imports the file is brought up to date even though it takes its own updates. */
  isForced?: boolean;
}
