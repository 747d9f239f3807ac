import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import type { NoticeBoard } from '../../lib/notice-board';
import { noticeBoard } from '../../lib/notice-board';

export async function GET(req: MedusaRequest, res: MedusaResponse): Promise<void> {
  await noticeBoard();
  const { notices } = req.scope.resolve<NoticeBoard>('noticeBoard');
  const texts = [...notices].map(([name, notice]) => [name, notice.text('you')]);
  res.json(Object.fromEntries(texts.sort()));
}
