import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { countries } from '../../generated/countries';

export function GET(_req: MedusaRequest, res: MedusaResponse): void {
  res.json(countries);
}
