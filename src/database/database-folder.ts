import { join } from 'node:path';

/** Everything that the embedded database of one project keeps on disk. */
export interface DatabaseFolder {
  readonly folder: string;
  /** PGDATA: nothing but PostgreSQL writes in it. */
  readonly data: string;
  /** Where `initdb` works; renamed to `data` when complete, so that `data` is never half made. */
  readonly unfinishedData: string;
  readonly password: string;
  /** Holds the `DATABASE_URL` for other programs, while the database runs. */
  readonly url: string;
  readonly lock: string;
  readonly log: string;
  readonly migrations: string;
}

/** The folder in messages: relative to the project, with forward slashes. */
export const DATABASE_FOLDER_NAME = '.medusa/postgres';

/** Adds to a note that names one of Medusa's commands how the command finds the embedded database. */
export function withDatabaseUrl(note: string): string {
  const file = `${DATABASE_FOLDER_NAME}/url`;
  return note.includes('`npx medusa db:')
    ? `${note}; first set DATABASE_URL to what is in ${file}`
    : note;
}

export function resolveDatabaseFolder(root: string): DatabaseFolder {
  const folder = join(root, '.medusa', 'postgres');
  return {
    folder,
    data: join(folder, 'data'),
    unfinishedData: join(folder, 'data.new'),
    password: join(folder, 'password'),
    url: join(folder, 'url'),
    lock: join(folder, 'lock'),
    log: join(folder, 'postgres.log'),
    migrations: join(folder, 'migrations.json'),
  };
}
