import { withDatabaseUrl } from '../database/database-folder.ts';
import {
  type EmbeddedDatabase,
  isEmbeddedDatabaseInstalled,
  startEmbeddedDatabase,
} from '../database/embedded.ts';
import { migrateIfPending } from '../medusa/migrations/migrations.ts';
import { readDotEnv } from '../project/project.ts';
import { assertDatabaseReachable } from '../shared/database-check.ts';

export interface ProjectDatabaseOptions {
  root: string;
  /** The shell's variables, without those of `.env`. */
  shell: NodeJS.ProcessEnv;
  log(line: string): void;
}

/** The app's database: the one that `DATABASE_URL` names, else the embedded one. */
export class ProjectDatabase {
  readonly #options: ProjectDatabaseOptions;
  /** Unset if the project named another database at the start. */
  #embedded: EmbeddedDatabase | undefined;

  constructor(options: ProjectDatabaseOptions) {
    this.#options = options;
  }

  /** @param url of the database that the project names, if any. @throws MedusaViteError */
  async start(url: string | undefined): Promise<void> {
    const { root, log } = this.#options;
    if (url) {
      await assertDatabaseReachable(url);
    } else if (isEmbeddedDatabaseInstalled(root)) {
      this.#embedded = await startEmbeddedDatabase({ root, log });
    }
  }

  /** Brings the embedded database up to date. @throws MedusaViteError */
  async migrate(): Promise<void> {
    const { root, shell, log } = this.#options;
    const database = this.#embedded;
    if (database) {
      const env = { ...shell, DATABASE_URL: database.url };
      await migrateIfPending({ root, database, env, log });
    }
  }

  async stop(): Promise<void> {
    await this.#embedded?.stop();
  }

  /** The complete environment of the next app, before its `.env`. */
  get env(): NodeJS.ProcessEnv {
    const { shell } = this.#options;
    const url = this.#embeddedUrl;
    return url === undefined ? shell : { ...shell, DATABASE_URL: url };
  }

  /** Adds the embedded database to Medusa's commands in a note for the user. */
  completeNote(note: string): string {
    return this.#embeddedUrl === undefined ? note : withDatabaseUrl(note);
  }

  /** A `DATABASE_URL` that is added to `.env` later replaces the embedded one. */
  get #embeddedUrl(): string | undefined {
    return readDotEnv(this.#options.root).DATABASE_URL ? undefined : this.#embedded?.url;
  }
}
