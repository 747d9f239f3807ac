import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import type {
  ProviderSendNotificationDTO,
  ProviderSendNotificationResultsDTO,
} from '@medusajs/framework/types';
import { AbstractNotificationProviderService } from '@medusajs/framework/utils';

interface JournalProviderOptions {
  signature: string;
}

/** Delivers notifications to the shop's journal. */
export default class JournalNotificationService extends AbstractNotificationProviderService {
  static identifier = 'journal';

  readonly #options: JournalProviderOptions;

  constructor(_container: Record<string, unknown>, options: JournalProviderOptions) {
    super();
    this.#options = options;
  }

  async send(
    notification: ProviderSendNotificationDTO,
  ): Promise<ProviderSendNotificationResultsDTO> {
    record({
      by: 'src/modules/journal-provider/service.ts',
      version: 'v1',
      note: `${notification.template} to ${notification.to}, ${this.#options.signature}`,
    });
    return {};
  }
}

countEvaluation('src/modules/journal-provider/service.ts');
