import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { readTexts } from 'vite-plugin-texts/texts';

export function GET(_req: MedusaRequest, res: MedusaResponse): void {
  res.json(readTexts());
}
