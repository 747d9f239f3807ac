import { countEvaluation } from '@lib/evaluations';
import { z } from 'zod';

export const NewBrand = z.object({
  name: z.string().min(2),
  country: z.string().optional(),
  product_ids: z.array(z.string()).optional(),
});
export type NewBrand = z.infer<typeof NewBrand>;

export const BrandChange = z.object({
  name: z.string().min(2).optional(),
  country: z.string().optional(),
});
export type BrandChange = z.infer<typeof BrandChange>;

export const Announcement = z.object({
  brand_id: z.string().min(1),
});
export type Announcement = z.infer<typeof Announcement>;

/** What the shop accepts in `additional_data` when a product is created. */
export const ProductExtra = {
  brand_id: z.string().optional(),
};

countEvaluation('src/api/validators.ts');
