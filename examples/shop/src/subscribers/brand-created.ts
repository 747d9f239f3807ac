import { brandLabel } from '@lib/brand-label';
import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import type { SubscriberArgs, SubscriberConfig } from '@medusajs/framework';
import { Modules } from '@medusajs/framework/utils';
import { BRAND_MODULE } from '../modules/brand';
import type BrandModuleService from '../modules/brand/service';
import type { BrandCreatedEvent } from '../types/brand';

const by = 'src/subscribers/brand-created.ts';

export default async function onBrandCreated({
  event,
  container,
}: SubscriberArgs<BrandCreatedEvent>): Promise<void> {
  const brands = container.resolve<BrandModuleService>(BRAND_MODULE);
  const brand = await brands.retrieveBrand(event.data.id);
  record({ by, version: 'v1', note: brandLabel(brand.name) });

  await container.resolve(Modules.NOTIFICATION).createNotifications({
    to: 'everyone',
    channel: 'journal',
    template: 'brand-created',
    data: { name: brand.name },
  });
}

export const config: SubscriberConfig = {
  event: 'brand.created',
};

countEvaluation(by);
