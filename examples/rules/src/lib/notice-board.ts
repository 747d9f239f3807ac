import { readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import { container } from '@medusajs/framework';
import { asValue } from '@medusajs/framework/awilix';

export interface Notice {
  text(name: string): string;
}

/** By the name of the file. */
export type Notices = ReadonlyMap<string, Notice>;

export interface NoticeBoard {
  notices: Notices;
}

const FOLDER = join(__dirname, '../notices');

/** The one in Medusa's container; whoever comes first loads the files of `src/notices`. */
export async function noticeBoard(): Promise<NoticeBoard> {
  if (!container.hasRegistration('noticeBoard')) {
    const notices = await loadNotices();
    container.register('noticeBoard', asValue({ notices }));
  }
  return container.resolve<NoticeBoard>('noticeBoard');
}

async function loadNotices(): Promise<Notices> {
  const files = readdirSync(FOLDER).filter((file) => /(?<!\.d)\.[jt]s$/.test(file));
  const entries = files.map(async (file): Promise<[string, Notice]> => {
    const { default: notice } = (await import(join(FOLDER, file))) as { default: Notice };
    return [parse(file).name, notice];
  });
  return new Map(await Promise.all(entries));
}
