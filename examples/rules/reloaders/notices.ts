import { parse } from 'node:path';
import { defineReloader } from 'medusa-vite/reloader';
import type { Notice, NoticeBoard } from '../src/lib/notice-board';

export default defineReloader({
  async prepare({ files }, { container, importFile }) {
    const board = container.resolve<NoticeBoard>('noticeBoard', { allowUnregistered: true });
    const notices = new Map(board?.notices);
    const resources: string[] = [];
    for (const { path, change } of files) {
      const { name } = parse(path);
      resources.push(`notice ${name}`);
      if (change === 'delete') {
        notices.delete(name);
        continue;
      }
      const { default: notice } = await importFile<{ default?: Notice }>(path);
      if (typeof notice?.text !== 'function') {
        throw new Error(`${path} has no default export with a text()`);
      }
      notices.set(name, notice);
    }
    return {
      resources,
      commit() {
        // Not loaded yet: whoever comes first gets the new files.
        if (board) {
          board.notices = notices;
        }
      },
    };
  },
});
