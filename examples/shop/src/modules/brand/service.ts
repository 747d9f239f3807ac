import { brandLabel } from '@lib/brand-label';
import { countEvaluation } from '@lib/evaluations';
import { MedusaService } from '@medusajs/framework/utils';
import { toHandle } from './handle';
import { Brand } from './models/brand';
import type { BrandModuleOptions } from './types';

export interface BrandDescription {
  handle: string;
  label: string;
  tagline: string;
}

export default class BrandModuleService extends MedusaService({ Brand }) {
  readonly #options: BrandModuleOptions;

  constructor(container: Record<string, unknown>, options: BrandModuleOptions) {
    super(container, options);
    this.#options = options;
  }

  describe(name: string): BrandDescription {
    return {
      handle: toHandle(name),
      label: `${brandLabel(name)}${this.#options.mark}`,
      tagline: this.#options.tagline,
    };
  }
}

countEvaluation('src/modules/brand/service.ts');
