import { countEvaluation } from '@lib/evaluations';
import { ModuleProvider, Modules } from '@medusajs/framework/utils';
import JournalNotificationService from './service';

export default ModuleProvider(Modules.NOTIFICATION, {
  services: [JournalNotificationService],
});

countEvaluation('src/modules/journal-provider/index.ts');
